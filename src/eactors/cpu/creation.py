"""Making an enclave: ECREATE, EADD, EEXTEND and EINIT, as far as a folder has them.

The image is copied first and the copy is measured: whoever changes the image while we look
at it changes nothing of what will run. Then the signer's word is checked against it, and
only then a process is started from the copy.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eactors import _native
from eactors.build.image import check_interpreter, read_image
from eactors.cpu.instructions import Secs
from eactors.cpu.sigstruct import Sigstruct
from eactors.cpu.structures import DEBUG, INIT, MODE64BIT, Refused, attributes
from eactors.errors import ImageError

if TYPE_CHECKING:
    import socket
    from typing import Any

    from eactors.build.image import Image

PLATFORM = "simulation"


class Loader:
    """Loads images, and remembers which interpreters it has found to be as measured."""

    def __init__(self) -> None:
        self._python = Path(sys.executable).resolve()
        self._interpreters: list[dict[str, Any]] = []

    def load(self, folder: Path, home: Path) -> Secs:
        """Copy an image to where it will run, and check all of it.

        Args:
            folder: The image.
            home: Where to; must not exist yet.

        Returns:
            Who the enclave is, once it runs.

        Raises:
            ImageError: The image is not what was measured and signed.
        """
        try:
            shutil.copytree(folder, home, symlinks=True)
            home.chmod(0o700)
            image = read_image(home)
            self._check_interpreter(image)
        except ImageError as error:
            # The user knows the image, not our copy of it.
            hint = None if error.hint is None else error.hint.replace(str(home), str(folder))
            raise ImageError(error.message.replace(str(home), str(folder)), hint=hint) from error
        except (OSError, shutil.Error) as error:
            raise ImageError(
                f"the image {folder} cannot be copied: {error}",
                hint="see that it is there and may be read, or build the deployment again",
            ) from error
        return einit(image, folder)

    def _check_interpreter(self, image: Image) -> None:
        # Hashing the interpreter's files takes longer than all else, and all images name the same.
        if image.interpreter not in self._interpreters:
            check_interpreter(image, self._python)
            self._interpreters.append(image.interpreter)

    def start(self, home: Path, errors: int, end: socket.socket) -> int:
        """Start an enclave's process, a child of the launcher; its id.

        Args:
            home: Its image.
            errors: Its standard error.
            end: Its end of the socket to the CPU.

        Raises:
            OSError: The machine refuses to.
        """
        python, folder = os.fsencode(self._python), os.fsencode(home)
        arguments = (python, b"-P", b"-s", b"-S", b"-B", folder)
        return _native.spawn(python, arguments, (b"PYTHONHOME=" + folder,), folder, errors, end.fileno())


def einit(image: Image, folder: Path) -> Secs:
    """Execute EINIT (Intel SDM volume 3D, chapter 40): an enclave's identity, if its signer vouches for it.

    Raises:
        ImageError: The image is not signed, or what was signed is not this image.
    """
    settings = image.settings
    if image.sigstruct is None:
        raise ImageError(f"the image {folder} is not signed", hint="build it again, or sign it")
    flags = MODE64BIT | (DEBUG if settings["debug"] else 0)
    try:
        signed = Sigstruct.parse(image.sigstruct)
        signed.check()
        _compare("measurement", signed.measurement.hex(), image.measurement.hex())
        _compare("product id", signed.product_id, settings["product_id"])
        _compare("security version", signed.svn, settings["security_version"])
        _compare("platform", PLATFORM, settings["platform"])
        masks = signed.attribute_mask
        for mask, wanted, given in zip(masks, signed.attributes, attributes(flags), strict=True):
            _compare("attributes (debug among them)", wanted & mask, given & mask)
    except Refused as error:
        raise ImageError(
            f"the signature {folder / 'sigstruct.bin'} does not fit the image: {error}",
            hint="the image was changed after it was signed: build it again",
        ) from error
    return Secs(
        measurement=image.measurement,
        signer=signed.signer,
        attributes=attributes(flags | INIT),
        product_id=signed.product_id,
        svn=signed.svn,
    )


def _compare(what: str, signed: object, given: object) -> None:
    if signed != given:
        raise Refused(f"another {what} was signed ({signed}) than the image has ({given})")
