"""Measures ours and the peers by turns, and prints tables of medians, ratios and aims.

    python benchmarks/run.py [--only NAME]... [--quick] [--write]

`--write` puts the tables into docs/performance.md, where those of other groups stay. Without `--only` everything is
measured, which takes a quarter of an hour. Needs the dependency group `bench`, tshark and protoc: `make bench` installs
them.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date

import jobs
import peers
import report
from jobs.effort import FULL, QUICK, Effort


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=[job.name for job in jobs.JOBS], default=[])
    parser.add_argument("--quick", action="store_true", help="small inputs, few runs: for trying the benchmarks")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.write and options.quick:
        parser.error("--write goes with what is measured in full")
    peers.refuse_if_missing()
    environment = peers.environment()
    os.environ.clear()
    os.environ.update(environment)
    effort = QUICK if options.quick else FULL
    groups = [_measured(job, effort) for job in jobs.JOBS if not options.only or job.name in options.only]
    about = f"{date.today()}: {peers.machine()}. {peers.versions()}."
    print("\n".join((about, "", *report.markdown(groups))))
    for line in report.missed(groups):
        print(f"missed: {line}")
    if options.write:
        report.write(about, groups)


def _measured(job: jobs.Job, effort: Effort) -> report.Group:
    print(f"{job.name}: {job.title}", file=sys.stderr)
    figures = []
    for figure in job.measure(effort):
        print(f"  {figure.row()}", file=sys.stderr)
        figures.append(figure)
    return report.Group(job.title, figures)


if __name__ == "__main__":
    main()
