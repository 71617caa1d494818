"""The interleaving model can fail: each fault put into a copy of the core is caught.

A mutant is a change of the sources that removes one of the things their comments argue
for. If a source changes so that a mutant no longer applies, the test says so: then find
the new place of what it removes.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

NATIVE = Path(__file__).resolve().parents[2] / "native"
SEED = 1
RUNS = 60_000


@dataclass(frozen=True)
class Mutant:
    """One fault: in `source`, every `old` becomes its `new`. It is looked for by one scenario, or by all."""

    source: str
    changes: tuple[tuple[str, str], ...]
    scenario: str = ""


TAG = "(uint32_t)(top >> 32) + 1"
GIVEN = """            ea_withdraw(who);
            return EA_OK;
        }
    }
    ea_node_mark("""
ARM = """    uint32_t seq = ea_load(&bell->seq, EA_ACQUIRE);
    ea_store(&bell->sleeping, 1, EA_SEQ_CST);
    return seq;"""
ARM_LATE = """    ea_store(&bell->sleeping, 1, EA_SEQ_CST);
    return ea_load(&bell->seq, EA_ACQUIRE);"""
RING = "!= 0) ea_bell_ring(end->peer_bell, end->who.shared);"
RING_AND_LOWER = """!= 0) {
        ea_store(end->peer_waiting, 0, EA_RELAXED);
        ea_bell_ring(end->peer_bell, end->who.shared);
    }"""
MUTANTS = {
    "pool_without_tag": Mutant("pool.c", ((TAG, "(uint32_t)(top >> 32)"),)),
    "pool_take_without_announcement": Mutant(
        "pool.c", (("        ea_announce(who, ea_pool_line(pool, first));\n", ""),)
    ),
    "pool_take_without_mark": Mutant("pool.c", (("            ea_node_mark(node, who, true);\n", ""),)),
    "pool_give_marks_after_the_swap": Mutant(
        "pool.c",
        (
            ("    ea_node_mark(node, who, false);\n", ""),
            (GIVEN, "            ea_node_mark(node, who, false);\n" + GIVEN),
        ),
    ),
    "mbox_without_lap": Mutant(
        "mbox.c",
        (
            ("(uint32_t)(position >> mbox->shift) * 2", "(uint32_t)(position >> mbox->shift) * 0"),
            ("slot_word(turn_of(word) + 1, 0)", "slot_word(turn_of(word) - 1, 0)"),
        ),
    ),
    "mbox_counter_set_instead_of_helped": Mutant(
        "mbox.c",
        (
            (
                "(void)ea_cas(counter, &position, position + 1, EA_ACQ_REL)",
                "ea_store(counter, position + 1, EA_RELEASE)",
            ),
        ),
    ),
    "mbox_full_without_second_look": Mutant(
        "mbox.c", (("(ea_load(&mbox->shared->tail, EA_ACQUIRE) == tail)", "(true)"),)
    ),
    "mbox_refilled_slot_taken_for_corrupt": Mutant("mbox.c", (("ahead == 2 || ahead == 3", "ahead == 2"),)),
    "mbox_pop_without_announcement": Mutant(
        "mbox.c", (("            ea_announce(who, ea_pool_line(mbox->pool, found));\n", ""),)
    ),
    "mbox_pop_without_mark": Mutant(
        "mbox.c", (("                ea_node_mark(ea_pool_node(mbox->pool, found), who, true);\n", ""),)
    ),
    "mbox_push_keeps_the_node_marked": Mutant("mbox.c", (("    ea_node_mark(node, who, false);\n", ""),)),
    "recovery_ignores_mboxes": Mutant(
        "recover.c",
        (("        for (uint32_t i = 0; i < mbox_count; i++) mark_mbox(mboxes[i], marks);\n", ""),),
    ),
    "recovery_ignores_living_givers": Mutant(
        "recover.c", (("        if (hazard_of(census, line, false)) {", "        if (false) {"),)
    ),
    "recovery_ignores_living_takers": Mutant(
        "recover.c", (("!walked || hazard_of(census, line, false)", "!walked"),)
    ),
    "recovery_ignores_changed_owners": Mutant(
        "recover.c", (("->owner, EA_ACQUIRE) != owner", "->owner, EA_ACQUIRE) == 1"),)
    ),
    "recovery_ignores_hazards_of_the_dead": Mutant(
        "recover.c", (("!owner_holds(owner) && hazard_of", "false && hazard_of"),)
    ),
    "sleep_without_second_look": Mutant(
        "wait.c", (("    if (!ready(what)) ea_bell_sleep(", "    ea_bell_sleep("),)
    ),
    "bell_armed_before_its_number_is_read": Mutant("wait.c", ((ARM, ARM_LATE),)),
    "bell_rung_without_a_new_number": Mutant(
        "wait.c", (("    (void)ea_add(&bell->seq, 1, EA_RELEASE);\n", ""),)
    ),
    "push_does_not_ring": Mutant(
        "channel.c", (("    ea_bell_ring(end->peer_bell, end->who.shared);\n    return", "    return"),)
    ),
    "pop_does_not_tell_of_room": Mutant("channel.c", (("    if (status == EA_OK) made_room(end);\n", ""),)),
    "waker_lowers_the_flag_of_the_waiting": Mutant("channel.c", ((RING, RING_AND_LOWER),)),
    "baton_passed_without_a_look_at_sleepers": Mutant(
        "baton.c",
        (("    if (ea_load(&baton->sleepers, EA_SEQ_CST) != 0) ea_word_wake(&baton->holder);\n", ""),),
    ),
}

HOLDS = "if (view->pin >= 0 || ea_load(&store->header->horizon, EA_ACQUIRE) <= view->commit.version) return"
RAISE = """    for (int attempt = 0; attempt < EA_STORE_ATTEMPTS; attempt++) {
        uint64_t horizon = ea_load(&store->header->horizon, EA_SEQ_CST);
        if (horizon >= bound || ea_cas(&store->header->horizon, &horizon, bound, EA_SEQ_CST)) break;
    }
"""
PINS = "    uint64_t pinned = ea_store_lowest_pin(store);\n"
COMMIT = "    if (!ea_cas(&store->header->root, &expected, word, EA_ACQ_REL)) {"
RETIRE = "    ea_blocks_retire(store, commit->version);\n"
LEAVE = "(void)ea_blocks_leave(store, list->items[list->first].index, list->items[list->first].retired);"
STATE = "&store->blocks[held->index].state"
RETIRED = f"if (!ea_cas({STATE}, &held->state, store->state | EA_BLOCK_RETIRED, EA_RELAXED)) continue;"
MUTANTS |= {
    "store_reader_ignores_the_horizon": Mutant(
        "store/view.c", ((HOLDS, "return"),), "store_is_read_as_it_is"
    ),
    "store_look_does_not_look_again": Mutant(
        "store/view.c",
        (("uint64_t again = ea_load(&store->header->root, EA_ACQUIRE);", "uint64_t again = word;"),),
        "store_is_read_as_it_is",
    ),
    "store_pin_ignores_the_horizon": Mutant(
        "store/view.c",
        (("if (ea_load(&store->header->horizon, EA_SEQ_CST) <= view->commit.version) {", "{"),),
        "store_blocks_wait_for_pins",
    ),
    "store_pins_looked_at_before_the_horizon_is_raised": Mutant(
        "store/blocks.c", ((RAISE + PINS, PINS + RAISE),), "store_blocks_wait_for_pins"
    ),
    "store_pins_not_looked_at": Mutant(
        "store/blocks.c",
        (("if (pinned < bound) bound = pinned;", ""),),
        "store_versions_that_are_kept_stay",
    ),
    "store_retires_before_the_commit": Mutant(
        "store/commit.c", ((RETIRE, ""), (COMMIT, RETIRE + COMMIT)), "store_keys_come_and_go"
    ),
    "store_commits_without_comparing": Mutant(
        "store/commit.c",
        ((COMMIT, "    ea_store(&store->header->root, word, EA_RELEASE);\n    if (expected == 0) {"),),
        "store_counts_each_once",
    ),
    "store_stale_view_has_nothing_to_delete": Mutant(
        "store/commit.c",
        (("ea_store_judge(store, view, EA_STORE_ABSENT)", "EA_STORE_ABSENT"),),
        "store_is_read_as_it_is",
    ),
    "store_transaction_reads_are_not_compared": Mutant(
        "store/operations.c",
        (("since != NULL && now.word != since->word", "false"),),
        "store_commits_all_or_nothing",
    ),
    "store_retired_blocks_are_free": Mutant(
        "store/blocks.c",
        ((LEAVE, "ea_blocks_free(store, list->items[list->first].index);"),),
        "store_versions_that_are_kept_stay",
    ),
    "store_waiting_blocks_are_free": Mutant(
        "store/blocks.c", (("if (retired <= ripe) {", "if (true) {"),), "store_is_read_as_it_is"
    ),
    "store_waiting_blocks_lose_their_links": Mutant(
        "store/blocks.c",
        (("stack == &store->header->top ? &block->next : &block->below", "&block->next"),),
        "store_versions_that_are_kept_stay",
    ),
    "store_stacks_without_tag": Mutant(
        "store/blocks.c",
        (
            ("((top >> 32) + 1) << 32 | index", "(top >> 32) << 32 | index"),
            ("((top >> 32) + 1) << 32 | next", "(top >> 32) << 32 | next"),
        ),
        "store_commits_all_or_nothing",
    ),
    "store_blocks_used_again_that_the_disk_has": Mutant(
        "store/blocks.c",
        (("return held->retired <= store->durable || held->came > store->durable;", "return true;"),),
        "store_is_whole_on_the_disk",
    ),
    "store_keeper_takes_what_is_in_use": Mutant(
        "store/keeper.c", ((" || (!retired && ea_reach_has(&reach, block))", ""),), "store_outlives_its_users"
    ),
    "store_keeper_frees_what_is_still_read": Mutant(
        "store/keeper.c",
        (("(void)ea_blocks_leave(store, block, view.commit.version);", "ea_blocks_free(store, block);"),),
        "store_outlives_its_users",
    ),
    "store_block_retired_that_the_keeper_has": Mutant(
        "store/blocks.c",
        ((RETIRED, f"ea_store({STATE}, store->state | EA_BLOCK_RETIRED, EA_RELAXED);"),),
        "store_outlives_its_users",
    ),
    "store_blocks_looked_through_are_nobodys": Mutant(
        "store/blocks.c",
        (
            (
                "ea_store(&store->blocks[index].state, store->state | EA_BLOCK_RETIRED, EA_RELAXED);",
                "",
            ),
        ),
        "store_outlives_its_users",
    ),
}


def run_model(folder: Path, count: int = RUNS, scenario: str = "") -> subprocess.CompletedProcess[str]:
    """Build the model with the core in `folder`, and run it."""
    return subprocess.run(
        [
            "make",
            "--no-print-directory",
            "-C",
            NATIVE,
            "test-model",
            f"CORE={folder}",
            f"BUILD={folder}/build",
            f"SEED={SEED}",
            f"COUNT={count}",
            f"SCENARIO={scenario}",
            "EXTRA_CFLAGS=-O1 -g0 -w",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the core, for which the model is built."""
    folder = tmp_path_factory.mktemp("core")
    (folder / "store").mkdir()
    for source in [*NATIVE.glob("*.[ch]"), *NATIVE.glob("store/*.[ch]")]:
        shutil.copy(source, folder / source.relative_to(NATIVE))
    done = run_model(folder, 1)
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture
def core(built: Path, tmp_path: Path) -> Path:
    """Another copy, of which nothing is compiled anew that is not changed."""
    folder = tmp_path / "core"
    shutil.copytree(built, folder)
    (folder / "build/model/model").unlink()
    return folder


@pytest.mark.parametrize("name", MUTANTS)
def test_model_catches(core: Path, name: str) -> None:
    """The model fails on the mutant, by a check of its own, and names the run to repeat."""
    mutant = MUTANTS[name]
    path = core / mutant.source
    text = path.read_text()
    for old, new in mutant.changes:
        assert old in text, f"{mutant.source} no longer contains {old!r}; find what this mutant removes now"
        text = text.replace(old, new)
    path.write_text(text)
    done = run_model(core, scenario=mutant.scenario)
    assert (core / "build/model/model").exists(), f"the mutant does not compile:\n{done.stdout}"
    assert done.returncode != 0, f"the model does not notice {name}:\n{done.stdout}"
    assert "  in " in done.stdout, f"no check of the model failed:\n{done.stdout}"


def test_model_accepts_the_copy_unchanged(core: Path) -> None:
    """What the mutants fail by is the change, not the copying."""
    done = run_model(core)
    assert done.returncode == 0, done.stdout
