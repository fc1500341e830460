"""Which command lines are taken for changes of packages."""

from __future__ import annotations

import shlex

import pytest

from crossbuild.builders.changes import changes_packages

CHANGING = """
yum -y install gcc
yum update
/usr/bin/yum --enablerepo epel install gcc
dnf -c /etc/other.conf install gcc
dnf --setopt tsflags=nodocs install gcc
dnf group install 'Development Tools'
dnf module enable nodejs:18
microdnf install gcc
zypper --non-interactive install gcc
zypper -n in gcc
zypper dup
rpm -ivh a.rpm
rpm -Uvh a.rpm
rpm -e gcc
rpm --nodeps --erase gcc
rpm --import key
apt install gcc
apt-get -y install gcc
apt-get -o Dpkg::Options::=--force-confold install gcc
apt-get --yes --option Dir::Log=/tmp upgrade
aptitude full-upgrade
dpkg -i a.deb
dpkg --install a.deb
dpkg --configure -a
dpkg -P gcc
dpkg --purge gcc
pip install x
pip3 uninstall x
sudo yum install gcc
env LANG=C nice -n 10 apt-get install gcc
sh -c 'apt-get update && apt-get install -y gcc'
bash -ec 'if true; then yum -y install gcc; fi'
bash -c "DEBIAN_FRONTEND=noninteractive apt-get install gcc"
bash -c "echo 'a b'; (cd /tmp; rpm -i a.rpm)"
"""

HARMLESS = """
true
make install
echo apt-get install gcc
ls install
yum
yum list installed
yum search install
yum repoquery install
dnf --assumeno install gcc
dnf group list
dnf module list
dnf history info
dnf --downloadonly install gcc
zypper search install
zypper --dry-run install gcc
zypper info gcc
rpm -qa
rpm -qi gcc
rpm -qpi a.rpm
rpm -Va
rpm --query --file /bin/sh
rpm --test -i a.rpm
rpm --version
apt-get -s install gcc
apt-get --simulate install gcc
apt-get download gcc
apt-cache search install
apt list --installed
apt-get -t install show gcc
dpkg -l
dpkg -L dpkg
dpkg -s dpkg
dpkg --list install
dpkg-query --list
dpkg-deb --info a.deb
dpkg -I a.deb
pip list
pip install --dry-run x
env
nice
sh -c 'rpm -qa | grep install'
sh -c
bash install.sh
bash -c "echo apt-get"
bash -c "grep 'x"
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("line", lines(CHANGING))
def test_a_command_that_changes_packages_is_recognised(line: str) -> None:
    assert changes_packages(shlex.split(line))


@pytest.mark.parametrize("line", lines(HARMLESS))
def test_a_command_that_changes_none_is_not_held_up(line: str) -> None:
    assert not changes_packages(shlex.split(line))


def test_an_empty_command_changes_nothing() -> None:
    assert not changes_packages([])
    assert not changes_packages([""])
