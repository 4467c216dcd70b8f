"""Compares `cipher batch` on a Spark cluster of two workers with a single process.

Usage: scripts/test/spark.py CIPHER
"""

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from pyspark.sql import SparkSession  # type: ignore[import-not-found]

REQUESTS = 4000
PARTITIONS = 16


def request(number: int) -> str:
    """Return a request; some name an unknown algorithm, so that errors are compared, too."""
    algorithm = ["Caesar", "Vigenere", "Enigma"][number % 3]
    message = f"Größe {number}, line one\nline two"
    return json.dumps({"id": number, "message": message, "algorithm": algorithm})


def answers(lines: list[str]) -> list[str]:
    """Remove line numbers from errors, because they are relative to a partition."""
    found = []
    for line in lines:
        answer = json.loads(line)
        answer.pop("line", None)
        found.append(json.dumps(answer))
    return found


def check(what: str, expected: list[str], actual: list[str]) -> None:
    """Exit unless both are equal."""
    if answers(expected) != answers(actual):
        raise SystemExit(f"scripts/test/spark.py: {what}: differs from a single process")
    print(f"ok: {what}", file=sys.stderr)


def main() -> None:
    """Run the same requests on the cluster and in a single process."""
    cipher = sys.argv[1]
    requests = [request(number) for number in range(REQUESTS)]
    alone = subprocess.run(
        [cipher, "batch"], input="\n".join(requests), capture_output=True, text=True, check=False
    )
    expected = alone.stdout.splitlines()

    # Two executors, one core and 512 MiB each: separate processes, which share only the machine.
    spark = (
        SparkSession.builder.master("local-cluster[2,1,512]")
        .config("spark.executor.memory", "512m")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    rdd = spark.sparkContext.parallelize(requests, PARTITIONS)

    # `env` is the complete environment, so there is no home.
    results = rdd.pipe(f"{shlex.quote(cipher)} batch -j 1", env={"PATH": "/usr/bin:/bin"}).collect()
    check("requests without a home", expected, results)

    # README's call: every event is in the audit file, and a failed request fails the job.
    with tempfile.TemporaryDirectory() as directory:
        audit = Path(directory) / "audit.log"
        command = f"{shlex.quote(cipher)} batch -j1 --audit-file {shlex.quote(str(audit))}"
        environment = {"PATH": "/usr/bin:/bin"}
        good = rdd.filter(lambda line: "Enigma" not in line)
        results = good.pipe(command, env=environment, checkCode=True).collect()
        check("requests with an audit file", [line for line in expected if '"error"' not in line], results)
        events = audit.read_text().splitlines()
        if len(events) != len(results) or not all(event.startswith("[AUDIT] Action: ") for event in events):
            raise SystemExit(f"scripts/test/spark.py: {len(results)} results, but {len(events)} events")
        try:
            rdd.pipe(command, env=environment, checkCode=True).collect()
        except Exception as error:  # its class depends on the version of pyspark
            if "exit" not in str(error):
                raise
            print("ok: a failed request fails the job", file=sys.stderr)
        else:
            raise SystemExit("scripts/test/spark.py: the job succeeded although requests failed")

    # Every partition starts with a first call of a component that was never compiled.
    with tempfile.TemporaryDirectory() as directory:
        guests = Path(directory) / "guests"
        guests.mkdir()
        shipped = Path(cipher).parents[2] / "guests"
        for guest in ("Caesar", "Vigenere"):
            for kind in ("wasm", "toml"):
                (guests / f"{guest}.{kind}").write_bytes((shipped / f"{guest}.{kind}").read_bytes())
        environment = {"CIPHER_GUESTS": str(guests), "XDG_CACHE_HOME": str(Path(directory) / "cache")}
        results = rdd.pipe(f"{shlex.quote(cipher)} batch -j 1", env=environment).collect()
        check("many first calls at once", expected, results)
        kept = len(list(Path(directory).rglob("cache/**/*.cwasm")))
        if kept != 2:
            raise SystemExit(f"scripts/test/spark.py: expected one artifact per guest, got {kept}")
    spark.stop()


if __name__ == "__main__":
    main()
