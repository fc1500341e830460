"""What a user reads when apt fails."""

import pytest

from crossbuild.distros.apt.complaints import explain
from crossbuild.errors import BuildFailedError, CommandFailedError, CrossbuildError, SpecError, StorageError
from tests.unit.specs import make_spec


def failed(text: str) -> CommandFailedError:
    return CommandFailedError("`apt-get` exited with status 100.", status=100, details=text)


@pytest.mark.parametrize(
    ("text", "kind", "brief"),
    [
        ("E: Unable to locate package chronny", SpecError, "There is no package `chronny`"),
        ("E: Package 'chronny' has no installation candidate", SpecError, "There is no package `chronny`"),
        ("E: Version '9' for 'chrony' was not found", SpecError, "There is no package `chrony`"),
        ("W: GPG error: … NO_PUBKEY 0E98", BuildFailedError, "not signed by a key"),
        ("E: The repository 'x' is not signed.", BuildFailedError, "not signed by a key"),
        ("Could not resolve 'mirror.example'", BuildFailedError, "could not be reached"),
        ("dpkg: error: No space left on device", StorageError, "disk is full"),
        ("The following packages have unmet dependencies:", SpecError, "cannot be installed together"),
        ("dpkg: something new", CommandFailedError, "`apt-get` exited"),
    ],
)
def test_the_cause_is_named(text: str, kind: type[CrossbuildError], brief: str) -> None:
    error = explain(failed(text), make_spec(packages=("vim", "chronny")))
    assert type(error) is kind
    assert brief in error.brief
    assert text in error.details


def test_an_unknown_package_is_told_by_path_with_what_may_have_been_meant() -> None:
    spec = make_spec(packages=("vim", "chronny"))
    error = explain(failed("E: Unable to locate package chronny"), spec, lambda: ["chrony", "zsh"])
    assert "packages[1]: chronny" in error.details
    assert error.resolution == "Did you mean chrony?"
