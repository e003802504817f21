"""Fuzzes the kernels: builds them with AddressSanitizer and UBSan, and runs the targets under libFuzzer (`make fuzz`).

    python tests/fuzz/run.py [--seconds N] [TARGET ...]   all targets, two at a time
    python tests/fuzz/run.py --seed 1                     tries the same from an empty corpus each time
    python tests/fuzz/run.py --repeat TARGET FILE         one input, for a finding

For each target: libFuzzer looks for inputs that fail; then all that it kept run over the interpreted sources too, with
the same results, and again and again, with no more memory held. Everything is kept in `build/fuzz`: what was found in
`crashes`, inputs that reach new code in `corpus`, from where the next run goes on.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.targets import NAMES

ROOT = Path(__file__).parent.parent.parent
BUILD = ROOT / "build" / "fuzz"
CRASHES = BUILD / "crashes"
REGRESSIONS = Path(__file__).parent / "regressions"
AFTERWARDS = 15
"""Seconds for each of the looks at what libFuzzer kept."""

FLAGS = (
    # Python is built with -fwrapv, behind which no overflow is found; `vptr` and `function` know nothing of C.
    "-O1 -g -fno-omit-frame-pointer -fno-wrapv -fsanitize=address,undefined,fuzzer-no-link "
    "-fno-sanitize-recover=undefined -fno-sanitize=vptr,function -Wno-everything"
)
COMPILER = {
    "INSPECTOR_COMPILED": "require",
    "CC": "clang",
    "CXX": "clang++",
    "CFLAGS": FLAGS,
    "CXXFLAGS": FLAGS,
    # Without the sanitizers' runtime: it is loaded before all else, as Python itself has none.
    "LDSHARED": "clang -shared",
    "LDCXXSHARED": "clang++ -shared",
}
SANITIZED = {
    "INSPECTOR_COMPILED": "require",
    "PYTHONMALLOC": "malloc",  # each object of its own, so that a read behind its end is seen
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",  # Python leaves much behind: see process.leaks
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


class Outcome(NamedTuple):
    """What came of a target: a line for people, and the log of the step that failed, if one did."""

    name: str
    text: str
    failed: Path | None


def build() -> None:
    prune()
    command = [sys.executable, "setup.py", "-q", "build", f"--build-base={BUILD}", f"--build-lib={BUILD / 'lib'}"]
    log = BUILD / "build.log"
    with log.open("w") as output:
        done = subprocess.run(
            [*command, f"-j{os.cpu_count()}"], cwd=ROOT, env=os.environ | COMPILER, stdout=output, stderr=output
        )
    if done.returncode:
        raise SystemExit(f"{tail(log)}\nthe kernels cannot be built with clang: see above")
    for kernel in (BUILD / "lib").rglob("*_cy.*.so"):
        if not {b"__asan_init", b"__sanitizer_cov_8bit_counters_init"} <= set(kernel.read_bytes().split(b"\0")):
            raise SystemExit(f"{kernel} is built without sanitizers: remove build/fuzz")


def prune() -> None:
    """Takes out what was built of modules that are no more: Python would still find them."""
    for path in (BUILD / "lib").rglob("*_cy.*"):
        folder = ROOT / path.relative_to(BUILD / "lib").parent
        if not any(folder.glob(f"{path.name.split('.')[0]}.py*")):
            path.unlink()


def runtime() -> str:
    """AddressSanitizer, UBSan and libFuzzer in one library, which atheris brings."""
    spec = importlib.util.find_spec("atheris")
    library = Path(spec.origin or "").parent.parent / "asan_with_fuzzer.so" if spec else Path()
    if not library.is_file():
        raise SystemExit("atheris is not installed, or came without asan_with_fuzzer.so: pip install atheris")
    return str(library)


def process(sanitized: bool, *arguments: object, log: Path | None = None) -> int:
    """Runs `process.py`, over the sanitized kernels or over their sources; its exit code."""
    mode = SANITIZED | {"LD_PRELOAD": runtime()} if sanitized else {"INSPECTOR_COMPILED": "never"}
    command = [sys.executable, str(Path(__file__).with_name("process.py")), *map(str, arguments)]
    env = os.environ | mode | {"PYTHONPATH": str(BUILD / "lib")}
    with log.open("w") if log else open(os.dup(1), "w") as output:
        return subprocess.run(command, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT).returncode


def tail(log: Path, lines: int = 60) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def run(name: str, seconds: int, seed: int) -> Outcome:
    """All steps for one target."""
    corpus, seeds, log = BUILD / "corpus" / name, BUILD / "seeds" / name, BUILD / "logs" / f"{name}.log"
    for folder in (corpus, seeds, log.parent, CRASHES, REGRESSIONS / name):
        folder.mkdir(parents=True, exist_ok=True)
    if process(False, "seeds", name, seeds, seeds.with_suffix(".options"), log=log):
        return Outcome(name, "its seeds cannot be made", log)
    options = seeds.with_suffix(".options").read_text().split()
    before = set(CRASHES.iterdir())
    code = process(
        True,
        *("fuzz", name, corpus, seeds, REGRESSIONS / name, *options, f"-artifact_prefix={CRASHES}/{name}-"),
        *(f"-seed={seed}", f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1"),
        log=log,
    )
    if code:
        found = sorted(set(CRASHES.iterdir()) - before)
        return Outcome(
            name, "\n".join(f"FOUND {path}\nrepeat: {repeat(name, path)}" for path in found) or "FAILED", log
        )
    failed = compare(name, corpus) or look_for_leaks(name, corpus)
    return failed or Outcome(name, figures(log, len(list(corpus.iterdir()))), None)


def repeat(name: str, path: Path) -> str:
    return f"python tests/fuzz/run.py --repeat {name} {path}"


def figures(log: Path, kept: int) -> str:
    text = log.read_text(errors="replace")
    stats = dict(re.findall(r"^stat::(\w+):\s+(\d+)", text, re.MULTILINE))
    coverage = re.findall(r"cov: (\d+) ft: (\d+)", text)[-1]
    return (
        f"{int(stats['number_of_executed_units']):,} runs, {int(stats['average_exec_per_sec']):,} a second, "
        f"{coverage[0]} edges, {coverage[1]} features, {kept:,} inputs kept; nothing found"
    )


def compare(name: str, corpus: Path) -> Outcome | None:
    """The sources, interpreted, have to do the same with each input."""
    results = []
    for sanitized in (True, False):
        log = BUILD / "logs" / f"{name}.{'compiled' if sanitized else 'source'}"
        file = log.with_name(f"{log.name}.json")
        if process(sanitized, "replay", name, corpus, AFTERWARDS, file, log=log):
            return Outcome(name, "FAILED when run again", log)
        results.append(json.loads(file.read_bytes()))
    compiled, source = results
    differ = [corpus / path for path in compiled.keys() & source.keys() if compiled[path] != source[path]]
    if not differ:
        return None
    return Outcome(name, f"DIFFERS between the compiled kernels and their sources: {min(differ)}", log)


def look_for_leaks(name: str, corpus: Path) -> Outcome | None:
    log = BUILD / "logs" / f"{name}.leaks"
    return Outcome(name, "LEAKS", log) if process(True, "leaks", name, corpus, AFTERWARDS, log=log) else None


def report(outcome: Outcome) -> bool:
    if outcome.failed:
        print(tail(outcome.failed), flush=True)
    print(f"{outcome.name}: {outcome.text}", flush=True)
    return outcome.failed is None


def main() -> None:
    parser = argparse.ArgumentParser(description="fuzzes the kernels, built with AddressSanitizer and UBSan")
    parser.add_argument("targets", nargs="*", default=NAMES, metavar="TARGET", help=", ".join(NAMES))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time")
    parser.add_argument("--seed", type=int, default=0, help="of libFuzzer's random numbers; 0: another one each time")
    parser.add_argument("--repeat", nargs=2, metavar=("TARGET", "FILE"), help="run one input")
    options = parser.parse_args()
    if unknown := set(options.targets) - set(NAMES):
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    BUILD.mkdir(parents=True, exist_ok=True)
    os.nice(19)
    build()
    if options.repeat:
        raise SystemExit(process(True, "fuzz", *options.repeat))
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = pool.map(lambda name: run(name, options.seconds, options.seed), options.targets)
        good = [report(outcome) for outcome in outcomes]
    print(f"fuzz: {sum(good)} of {len(good)} targets without a finding, {options.seconds} seconds each")
    raise SystemExit(not all(good))


if __name__ == "__main__":
    main()
