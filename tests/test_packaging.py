"""What is installed can do what the checkout can: a wheel, an editable install, a source distribution."""

import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.processes import run_within

ROOT = Path(__file__).parent.parent

BUILD = """
import sys
from hatchling.build import build_editable, build_sdist, build_wheel
builders = {"wheel": build_wheel, "editable": build_editable, "sdist": build_sdist}
print(builders[sys.argv[1]](sys.argv[2]))
"""
# site.addsitedir reads .pth files, which is how an editable install points at the checkout.
GENERATE = """
import site, sys
site.addsitedir(sys.argv[1])
sys.path.insert(0, sys.argv[1])
import symbackprop
print(symbackprop.__file__)
from symbackprop.cli.main import main
sys.argv = ["symbackprop", "generate", sys.argv[2], "-o", sys.argv[3]]
main()
"""


def build(kind: str, folder: Path) -> Path:
    """Build with the backend alone: no network, no isolated environment."""
    command = [sys.executable, "-c", BUILD, kind, str(folder)]
    done = run_within(120, command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


def install(wheel: Path, folder: Path) -> Path:
    """What an installer does with a pure wheel, into a folder of its own."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def generate_from(installed: Path, workplace: Path) -> tuple[str, str]:
    """Generate the seed's module with the installed package; where the package is, and the module's text."""
    model, module = workplace / "seed.model", workplace / "seed.py"
    model.write_bytes((ROOT / "examples" / "seed.model").read_bytes())
    command = [sys.executable, "-P", "-c", GENERATE, str(installed), str(model), str(module)]
    done = run_within(120, command, cwd=workplace, capture_output=True, text=True)
    assert module.exists(), done.stderr
    return done.stdout.splitlines()[0], module.read_text(encoding="ascii")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build("wheel", tmp_path_factory.mktemp("wheel"))


def test_a_wheel_installed_elsewhere_finds_its_templates(wheel, tmp_path):
    installed = install(wheel, tmp_path / "site")
    templates = {path.name for path in (installed / "symbackprop" / "templates").rglob("*") if path.is_file()}
    assert templates == {path.name for path in (ROOT / "templates").rglob("*") if path.is_file()}
    formulas = {path.name for path in (installed / "symbackprop" / "layers" / "formulas").iterdir()}
    assert formulas == {path.name for path in (ROOT / "symbackprop" / "layers" / "formulas").iterdir()}
    catalogues = [path.name for path in (installed / "symbackprop" / "languages").rglob("*.po")]
    assert catalogues == ["symbackprop.po"]
    package, text = generate_from(installed, tmp_path)
    assert Path(package).is_relative_to(installed)
    assert text == (ROOT / "generated" / "seed.py").read_text(encoding="ascii")


def test_an_editable_install_finds_the_templates_beside_the_package(tmp_path):
    installed = install(build("editable", tmp_path), tmp_path / "site")
    package, text = generate_from(installed, tmp_path)
    assert Path(package) == ROOT / "symbackprop" / "__init__.py"
    assert text == (ROOT / "generated" / "seed.py").read_text(encoding="ascii")


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        roots = {name.split("/")[0] for name in archive.namelist()}
        entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "symbackprop = symbackprop.cli.main:main" in archive.read(entry).decode()
    assert {root.split("-")[0] for root in roots} == {"symbackprop"}


def test_the_source_distribution_holds_what_a_build_needs(tmp_path):
    with tarfile.open(build("sdist", tmp_path)) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    for needed in ("pyproject.toml", "README.md", "LICENSE", "symbackprop/version.py", "generated/seed.py"):
        assert needed in names
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "templates").rglob("*.j2")} <= names
