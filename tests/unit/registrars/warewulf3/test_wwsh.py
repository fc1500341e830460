"""What wwsh prints, read: JSON, tables of any width, attributes of nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from crossbuild.errors import ProvisionerError
from crossbuild.host.command import CommandResult
from crossbuild.registrars.actions import Transcript
from crossbuild.registrars.warewulf3.wwsh import StoredObject, Wwsh

DUMP = '[{"_ID":"7","NAME":["image"],"ARCH":"aarch64","CHECKSUM":"ab12","SIZE":"42","_TYPE":"bootstrap"}]'
TABLE = """\
NAME                       ARCH                       CHECKSUM                   SIZE
=====================================================================================
a-name-that-is-longer-than-its-column aarch64 ab12 42 7
half                       UNDEF                      UNDEF                      UNDEF                      8
"""
NODE = """\
#### n1 ######################################################################
             n1: ARCH             = aarch64
             n1: eth0.HWADDR      = 00:16:3e:00:00:01
             n1: CLUSTER          = UNDEF
"""
PROVISION = """\
             n1: BOOTSTRAP        = image
             n1: KARGS            = "quiet console=ttyAMA0"
"""


class Said(Transcript):
    """Answers by the words of the command line, without a program."""

    def __init__(self, answers: Mapping[str, str], complaint: str = "") -> None:
        super().__init__("Warewulf 3")
        self._answers, self._complaint = answers, complaint

    def ask(self, argv: Sequence[str]) -> CommandResult:
        return CommandResult(
            argv=tuple(argv), status=1, stdout=self._answers.get(argv[2], ""), stderr=self._complaint
        )


def wwsh(answers: Mapping[str, str], complaint: str = "") -> Wwsh:
    made = Wwsh()
    made.transcript = Said(answers, complaint)
    return made


def stored(name: str, number: str, arch: str = "", checksum: str = "", size: str = "") -> StoredObject:
    return StoredObject(kind="bootstrap", name=name, id=number, arch=arch, checksum=checksum, size=size)


def test_dump_is_read_whatever_stands_around_it() -> None:
    said = wwsh({"jsondump": f"Building something\n{DUMP}\n"})
    assert said.stored("bootstrap") == (stored("image", "7", "aarch64", "ab12", "42"),)


def test_table_serves_where_there_is_no_dump() -> None:
    said = wwsh({"jsondump": "NAME _TYPE\n====\nimage bootstrap\n", "print": TABLE})
    assert said.stored("bootstrap") == (
        stored("a-name-that-is-longer-than-its-column", "7", "aarch64", "ab12", "42"),
        stored("half", "8"),
    )


def test_nothing_is_there_where_wwsh_says_so() -> None:
    assert wwsh({}, "WARNING:  No matching objects found.").stored("vnfs") == ()


@pytest.mark.parametrize("complaint", ["ERROR:  Failed initialization of the data store!", ""])
def test_silence_is_an_error_not_an_empty_datastore(complaint: str) -> None:
    with pytest.raises(ProvisionerError, match="does not tell"):
        wwsh({}, complaint).stored("vnfs")


def test_attributes_of_both_modules_are_one_nodes() -> None:
    class Modules(Said):
        def ask(self, argv: Sequence[str]) -> CommandResult:
            text = NODE if argv[1] == "node" else PROVISION
            return CommandResult(argv=tuple(argv), status=0, stdout=text, stderr="")

    made = Wwsh()
    made.transcript = Modules({})
    assert made.nodes() == {
        "n1": {
            "ARCH": "aarch64",
            "eth0.HWADDR": "00:16:3e:00:00:01",
            "CLUSTER": "",
            "BOOTSTRAP": "image",
            "KARGS": "quiet console=ttyAMA0",
        }
    }
