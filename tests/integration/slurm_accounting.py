"""The accounting of the tests' own Slurm: slurmdbd, and the database in which it keeps what it knows."""

from __future__ import annotations

from pathlib import Path

from crossbuild.host.command import capture
from tests.integration.node_rig import wait_for_server
from tests.integration.slurm_rig import Cluster, free_ports

ACCOUNT = "physics"
"""The only one; root is its only user."""
SYSTEM_TABLES = Path("/usr/share/mysql/mysql_system_tables.sql")
"""Of MariaDB."""
CONFIGURATION = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdPort={port}
SlurmUser=root
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database}
StorageUser=root
StorageLoc=accounting
"""
OF_CONTROLLER = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge.socket
AccountingStorageEnforce=associations
MinJobAge=2
"""
"""It refuses accounts that it does not know, and leaves jobs to the accounting soon after their end."""


def start_accounting(cluster: Cluster) -> str:
    """Start it below the folder of *cluster*; return lines for the configuration of the controller."""
    port, database = free_ports(2)
    folder = cluster.folder
    _start_database(cluster, database)
    file = folder / "slurmdbd.conf"
    file.write_text(CONFIGURATION.format(folder=folder, port=port, database=database))
    file.chmod(0o600)
    start_slurmdbd(cluster)
    wait_for_server(cluster.processes["accounting"], "127.0.0.1", port)
    return OF_CONTROLLER.format(folder=folder, port=port)


def start_slurmdbd(cluster: Cluster) -> None:
    """Start slurmdbd; its file lies beside the one that SLURM_CONF names."""
    cluster.start("accounting", "slurmdbd", "-D")


def add_account(cluster: Cluster) -> None:
    """Have the account, once the controller has told slurmdbd of its cluster."""
    cluster.wait(
        lambda: "tests" in capture(["sacctmgr", "--noheader", "list", "cluster"], check=False).stdout
    )
    for words in (["account", ACCOUNT], ["user", "root", f"Account={ACCOUNT}"]):
        capture(["sacctmgr", "--immediate", "add", *words])


def _start_database(cluster: Cluster, port: int) -> None:
    place = cluster.folder / "database"
    place.mkdir()
    where = ["mariadbd", "--no-defaults", f"--datadir={place}", "--user=root"]
    # Stored procedures lie in the system's tables.
    capture([*where, "--bootstrap"], stdin=f"CREATE DATABASE mysql;\nUSE mysql;\n{SYSTEM_TABLES.read_text()}")
    door = cluster.folder / "database.socket"
    listen = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={door}", "--skip-name-resolve"]
    small = ["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0"]
    cluster.start("database", *where, *listen, *small, "--skip-grant-tables")
    cluster.wait(door.exists)
