/* Recovery: what the host does about one enclave's process that has ended, or is to end, while
 * the others go on. */
#include "channel.h"
#include "recover.h"
#include "types.h"

/* A word that the host and one other share; see the offsets below. */
static ea_a32 *word_at(RegionObject *self, unsigned long long offset) {
    if (offset % sizeof(ea_a32) == 0 && region_at(self, offset / EA_LINE * EA_LINE, EA_LINE) != NULL)
        return (ea_a32 *)(self->region.base + offset);
    if (!PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "there is no word at %llu", offset);
    return NULL;
}

static PyObject *word_of(PyObject *module, PyObject *args) {
    RegionObject *self;
    unsigned long long offset;
    ea_a32 *word = PyArg_ParseTuple(args, "O!K", &Region_Type, &self, &offset) ? word_at(self, offset) : NULL;
    return word == NULL ? NULL : PyLong_FromUnsignedLong(ea_load(word, EA_ACQUIRE));
}

static PyObject *set_word(PyObject *module, PyObject *args) {
    RegionObject *self;
    unsigned long long offset;
    unsigned int value;
    ea_a32 *word = PyArg_ParseTuple(args, "O!KI", &Region_Type, &self, &offset, &value) ? word_at(self, offset) : NULL;
    if (word == NULL) return NULL;
    /* Seq_cst: before the look at the bell of whoever sleeps by it (wait.h). */
    ea_store(word, value, EA_SEQ_CST);
    Py_RETURN_NONE;
}

typedef struct {
    const ea_participant **participants;
    bool *dead;
    ea_mbox *mboxes, **list;
    uint8_t *marks;
} scratch;

static bool fill(RegionObject *self, scratch *room, PyObject *mboxes, PyObject *participants, ea_pool *pool) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mboxes); i++) {
        unsigned long long offset;
        unsigned int capacity;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(mboxes, i), "KI", &offset, &capacity)) return false;
        if (!ea_mbox_attach(&room->mboxes[i], &self->region, offset, capacity, pool)) return false;
        room->list[i] = &room->mboxes[i];
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(participants); i++) {
        unsigned long long offset;
        int dead;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(participants, i), "Kp", &offset, &dead)) return false;
        room->participants[i] = region_at(self, offset, sizeof **room->participants);
        if (room->participants[i] == NULL) return false;
        room->dead[i] = dead;
    }
    return true;
}

static PyObject *recover(PyObject *module, PyObject *args) {
    RegionObject *self;
    unsigned long long offset;
    unsigned int nodes, payload;
    PyObject *mboxes, *participants, *answer = NULL;
    ea_pool pool;
    const ea_context *who = ea_current_who();
    if (who == NULL || !PyArg_ParseTuple(args, "O!KIIO!O!", &Region_Type, &self, &offset, &nodes, &payload,
                                         &PyTuple_Type, &mboxes, &PyTuple_Type, &participants))
        return NULL;
    size_t carriers = (size_t)PyTuple_GET_SIZE(mboxes), count = (size_t)PyTuple_GET_SIZE(participants);
    if (!ea_pool_attach(&pool, &self->region, offset, nodes, payload))
        return PyErr_Format(PyExc_ValueError, "a pool of %u nodes does not lie inside the region", nodes);
    scratch room = {PyMem_Calloc(count + 1, sizeof *room.participants), PyMem_Calloc(count + 1, sizeof *room.dead),
                    PyMem_Calloc(carriers + 1, sizeof *room.mboxes), PyMem_Calloc(carriers + 1, sizeof *room.list),
                    PyMem_Calloc(nodes, 1)};
    if (room.participants == NULL || room.dead == NULL || room.mboxes == NULL || room.list == NULL || room.marks == NULL) {
        PyErr_NoMemory();
    } else if (fill(self, &room, mboxes, participants, &pool)) {
        ea_census census = {room.participants, room.dead, (uint32_t)count};
        uint32_t recovered;
        ea_status status = ea_recover(&pool, room.list, (uint32_t)carriers, &census, who, room.marks, &recovered);
        answer = Py_BuildValue("IO", recovered, status == EA_BUSY ? Py_False : Py_True);
    } else if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_ValueError, "an mbox of the pool does not lie inside the region");
    }
    PyMem_Free(room.participants);
    PyMem_Free(room.dead);
    PyMem_Free(room.mboxes);
    PyMem_Free(room.list);
    PyMem_Free(room.marks);
    return answer;
}

static PyMethodDef functions[] = {
    {"word", word_of, METH_VARARGS, "word(region, offset, /)\n--\n\nThe 32-bit word at this offset."},
    {"set_word", set_word, METH_VARARGS, "set_word(region, offset, value, /)\n--\n\nWrite it."},
    {"recover", recover, METH_VARARGS,
     "recover(region, pool, nodes, payload, mboxes, participants, /)\n--\n\nGive back to a pool what dead participants hold "
     "of it: how many nodes, and whether that was all. `mboxes` are (offset, capacity) of all that carry its nodes; "
     "`participants` (offset, dead) of all that there are, by id."},
    {0},
};

int ea_py_add_recovery(PyObject *module) {
    const struct {
        const char *name;
        long value;
    } offsets[] = {
        {"STOP_WORD", offsetof(ea_participant, stop)},
        {"HAZARD_WORD", offsetof(ea_participant, hazard)},
        {"SLEEPING_WORD", offsetof(ea_bell, sleeping)},
        {"EPOCH_WORD", offsetof(ea_channel_shared, epoch)},
        {"MET_WORD", offsetof(ea_channel_shared, met)},
    };
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        if (PyModule_AddIntConstant(module, offsets[i].name, offsets[i].value) < 0) return -1;
    return PyModule_AddFunctions(module, functions);
}
