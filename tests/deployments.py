"""What tests of the reader of deployment files share: a valid file, and how a bad one is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from eactors.deployment import xml
from eactors.deployment.errors import DeploymentError

if TYPE_CHECKING:
    from eactors.deployment.model import Deployment

FILE = "demo.xml"

# The line numbers in the tests count from the "<data>" of this text.
VALID = """\
<data>
  <actors>
    <actor><id>7</id><name>Ping</name></actor>
    <actor>
      <id>3</id><name> keeper1 </name>
      <class>Keeper</class>
    </actor>
  </actors>
  <servers>
    <server>
      <ip>localhost</ip>
      <workers>
        <worker>
          <id>0</id>
          <cpus><cpu>0</cpu><cpu>7</cpu></cpus>
          <enclave><id>0</id><actors><actor>Ping</actor></actors></enclave>
          <enclave>
            <id>1</id>
            <actors>
              <actor>keeper1</actor>
            </actors>
          </enclave>
        </worker>
      </workers>
    </server>
  </servers>
  <channel between="Ping keeper1" cipher="none" capacity="64" message-size="4096" node-size="512"/>
  <pool name="nodes" nodes="100" size="256" kind="private"/>
  <wait worker="0" policy="sleep"/>
  <param actor="Ping" name="rounds"> 10 </param>
  <enclave-settings enclave="1" name="bank" signer="alice" owners="alice  bob" debug="no"
    product-id="7" security-version="2" platform="simulation"/>
  <key name="alice" file=" keys/alice's key.pem "/>
  <key name="bob" file="bob.pem"/>
  <requires enclave="1" module="codes:TABLE"/>
  <directory name="data" path=" files/of ours " access="write" actor="Ping"/>
  <network actor="Ping" sockets="1000" unread="2097152"/>
  <store name="accounts" size="64  MiB" kind="persistent" file=" accounts.store " encryption="aes-gcm"
    key="measurement" rollback="detect"/>
</data>
"""


def parse(text: str) -> Deployment:
    """Read ``text`` as if it were a file."""
    return xml.parse(text.encode(), FILE)


def refused(text: str | bytes) -> DeploymentError:
    """Return the error that ``text`` is refused with."""
    with pytest.raises(DeploymentError) as caught:
        xml.parse(text if isinstance(text, bytes) else text.encode(), FILE)
    assert caught.value.file == FILE
    return caught.value


class Bad(NamedTuple):
    """A bad input: ``old`` of the valid file replaced by ``new``, and what is said of it."""

    old: str
    new: str
    line: int
    message: str
    hint: str

    def text(self) -> str:
        """Return the bad file."""
        assert VALID.count(self.old) >= 1
        return VALID.replace(self.old, self.new, 1)

    def check(self) -> None:
        """Assert that the reader refuses it with just these words."""
        error = refused(self.text())
        assert (error.line, error.message, error.hint) == (self.line, self.message, self.hint)
        assert str(error) == f"{FILE}:{self.line}: {self.message}"
