"""Every error that crossbuild reports, and the exit status each one ends with.

The library raises these and never prints or exits; the command line shows them in three parts.

| status | meaning |
|---|---|
| 0 | done |
| 1 | the work failed |
| 2 | the command line or the spec is wrong |
| 3 | the host is not ready; the resolution names the remedy |
| 4 | a provisioner or node refused or is unreachable |
| 130 | interrupted |
"""

from __future__ import annotations


class CrossbuildError(Exception):
    """Base of every error that reaches a user without a traceback."""

    exit_code = 1

    def __init__(self, brief: str, *, details: str = "", resolution: str = "") -> None:
        """*brief* says what went wrong, *details* what is known about it, *resolution* what to do."""
        super().__init__(brief)
        self.brief, self.details, self.resolution = brief, details, resolution


class CommandFailedError(CrossbuildError):
    """A program that crossbuild started ended with a status other than 0."""

    def __init__(self, brief: str, *, status: int, details: str = "", resolution: str = "") -> None:
        """*status* is the exit status, or minus the number of the signal that ended the program."""
        super().__init__(brief, details=details, resolution=resolution)
        self.status = status


class BuildFailedError(CrossbuildError):
    """A step of a build could not be done."""


DISK_FULL = "The disk is full."
"""How every error begins that says so, also when it comes from another host."""


class StorageError(CrossbuildError):
    """A disk is full, or a file system cannot hold what crossbuild must write there."""


class DamagedTwinError(CrossbuildError):
    """The native programs that would speed up a build cannot be used."""


class VerificationError(CrossbuildError):
    """What was built is not what it must be; the details list the paths."""


class ArtifactError(CrossbuildError):
    """An artifact set is missing, damaged, or cannot be made from this root."""


class UsageError(CrossbuildError):
    """The command line asks for something that does not exist or makes no sense."""

    exit_code = 2


class SpecError(UsageError):
    """The spec or a configuration file is wrong; the details name the path inside the file."""


class HostNotReadyError(CrossbuildError):
    """This host lacks something; the resolution names the command that provides it."""

    exit_code = 3


class ProvisionerError(CrossbuildError):
    """A provisioner or a node refused, or could not be reached."""

    exit_code = 4


class NodeUnreachableError(ProvisionerError):
    """The connection to a node could not be made, or was lost: what runs there may go on."""


class HostKeyError(ProvisionerError):
    """A host did not prove that it is the node that was added."""


class TerminatedError(BaseException):
    """A signal asks this process to end; raised where it stands, so that everything unwinds."""

    def __init__(self, number: int) -> None:
        """Take the signal's *number*."""
        super().__init__(number)
        self.number = number
