"""What is computed of a finished result: its validation, its report beside quantstats', and its attribution.

Run it by scripts/bench analysis. Each of the three has a script of its own and a process of its own.
"""

import subprocess
import sys
from pathlib import Path

SCRIPTS = ("analysis_validation.py", "analysis_report.py", "analysis_attribution.py")


def main() -> None:
    """The lines of each script, which all read the same options. Ends with the status of one that fails."""
    folder = Path(__file__).parent
    for script in SCRIPTS:
        done = subprocess.run([sys.executable, str(folder / script), *sys.argv[1:]])
        if done.returncode:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()
