import os
import subprocess
import sys
from pathlib import Path

import pytest

from symbackprop.cli import generate
from symbackprop.cli.main import run
from symbackprop.emission.files import write_atomically
from symbackprop.emission.kept import KeptModule, keep, kept, question_of
from symbackprop.errors import EmissionError
from symbackprop.storage.folder import SWITCH
from tests.processes import run_within

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
SEED, EXERCISE = EXAMPLES / "seed.model", EXAMPLES / "exercise.model"


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_without_an_output_the_module_is_printed(call, tmp_path):
    code, out, err = call("generate", SEED)
    assert (code, err) == (0, "") and "def value_and_grad(" in out
    assert call("generate", SEED, "-o", "-") == (code, out, err)
    assert names(tmp_path) == []


def test_a_size_that_the_model_leaves_open_may_be_given(call, tmp_path):
    (tmp_path / "m.model").write_text("index it : N\nparam p\nv[it] = p*it\nloss E = sum(it, v[it])\n")
    assert "N: int" in call("generate", "m.model", "--no-verify")[1]
    code, out, _ = call("generate", "m.model", "--no-verify", "--size", "N=3")
    assert code == 0 and "N: int" not in out and '"N": 3' in out
    for wrong in ("N", "N=-1", "N=3.5", "=3"):
        code, _, err = call("generate", "m.model", "--size", wrong)
        assert code == 2 and f"'{wrong}' is no size of an axis" in err
    assert "no axis named 'K'" in call("check", "m.model", "--size", "K=3")[2]


def test_into_a_file_and_into_a_folder(call, tmp_path):
    code, out, err = call("generate", SEED, "-o", "mine.py")
    assert (code, out, err) == (0, "", "wrote mine.py\n")
    assert call("generate", SEED, "-o", tmp_path)[0] == 0
    assert names(tmp_path) == ["mine.py", "seed.py"]
    assert Path("mine.py").read_bytes() == Path("seed.py").read_bytes()


def test_a_file_that_is_up_to_date_is_left_alone(call):
    call("generate", SEED, "-o", "seed.py")
    os.utime("seed.py", (1, 1))
    assert call("generate", SEED, "-o", "seed.py") == (0, "", "seed.py is up to date\n")
    assert os.stat("seed.py").st_mtime == 1


def test_several_models_into_a_folder(call, tmp_path):
    assert call("generate", SEED, EXERCISE, "-o", ".")[0] == 0
    assert names(tmp_path) == ["exercise.py", "seed.py"]
    assert call("generate", SEED, EXERCISE)[0] == 2
    assert call("generate", SEED, EXERCISE, "-o", "one.py")[0] == 2
    assert call("generate", SEED, SEED, "-o", ".")[0] == 2
    assert names(tmp_path) == ["exercise.py", "seed.py"]


def test_nothing_is_written_where_one_model_is_wrong(call, tmp_path):
    (tmp_path / "wrong.model").write_text("loss E = \n")
    assert call("generate", SEED, "wrong.model", "-o", ".")[0] == 2
    assert names(tmp_path) == ["wrong.model"]


@pytest.mark.parametrize("output", ["none/seed.py", "none", "none/", "/proc/seed.py"])
def test_a_place_that_cannot_be_written(call, tmp_path, output):
    code, out, err = call("generate", SEED, "-o", output)
    assert (code, out) == (2, "") and err.startswith("error: ")
    assert names(tmp_path) == []


def test_a_name_that_python_cannot_import(call, tmp_path):
    for name, module in (
        ("my-net.model", "my_net.py"),
        ("class.model", "model_class.py"),
        ("2.model", "model_2.py"),
    ):
        (tmp_path / name).write_text("param w\nloss E = w^2\n")
        assert call("generate", name, "-o", ".") == (0, "", f"wrote {module}\n")


# ---- --check and --diff


def test_check_is_silent_on_standard_output_where_nothing_differs(call):
    call("generate", SEED, "-o", "seed.py")
    assert call("generate", SEED, "--check")[:2] == (0, "")
    assert call("generate", SEED, "-o", "seed.py", "--check", "--diff")[:2] == (0, "")


def test_check_finds_a_changed_and_a_missing_file(call, tmp_path):
    code, _, err = call("generate", SEED, "--check")
    assert code == 1 and "seed.py is missing" in err and names(tmp_path) == []
    call("generate", SEED, "-o", "seed.py")
    changed = Path("seed.py").read_text().replace("y - d", "d - y")
    Path("seed.py").write_text(changed)
    code, out, err = call("generate", SEED, "--check")
    assert (code, out) == (1, "") and "seed.py differs" in err
    assert Path("seed.py").read_text() == changed


def test_diff_prints_what_would_change_and_writes_nothing(call):
    call("generate", SEED, "-o", "seed.py")
    changed = Path("seed.py").read_text().replace("y - d", "d - y")
    Path("seed.py").write_text(changed)
    code, out, _ = call("generate", SEED, "-o", "seed.py", "--diff")
    assert code == 0 and "\n-    delta2 = d - y\n+    delta2 = y - d\n" in out
    assert call("generate", SEED, "-o", "seed.py", "--diff", "--check")[0] == 1
    assert Path("seed.py").read_text() == changed


def test_a_file_without_a_last_line_end_differs(call):
    call("generate", SEED, "-o", "seed.py")
    Path("seed.py").write_text(Path("seed.py").read_text().rstrip("\n"))
    code, out, _ = call("generate", SEED, "--check", "--diff")
    assert code == 1 and "\\ No newline at end of file\n" in out


def test_exact_finds_a_module_of_no_model(call):
    call("generate", SEED, EXERCISE, "-o", ".")
    assert call("generate", SEED, EXERCISE, "-o", ".", "--check", "--exact")[0] == 0
    assert call("generate", SEED, "-o", ".", "--check")[0] == 0
    code, _, err = call("generate", SEED, "-o", ".", "--check", "--exact")
    assert code == 1 and "exercise.py comes from none of the models" in err


def test_there_is_nothing_to_compare_with_on_standard_output(call):
    assert call("generate", SEED, "-o", "-", "--check")[0] == 2


# ---- check


def test_the_check_of_a_model_is_a_table(call):
    code, out, err = call("check", SEED, "--seed", "3")
    assert code == 0 and "seed 3" in err
    head, *rows = out.splitlines()
    assert head.split() == ["tensor", "compared", "with", "worst", "relative", "error"]
    assert {row.split()[0] for row in rows} >= {"W1", "b1", "W2", "b2"}
    assert all("ok" in row.split() for row in rows) and "of" in rows[-1]  # perturbed gradients: 92 of 92


def test_the_check_of_a_module_edited_by_hand_fails(call):
    call("generate", SEED, "-o", "seed.py")
    assert call("check", "seed.py")[0] == 0
    Path("seed.py").write_text(
        Path("seed.py").read_text().replace("delta2.T @ z1", "delta2.T @ (z1 + 0.001)")
    )
    code, out, err = call("check", "seed.py")
    assert code == 1 and "WRONG" in out and "DIFFERS" in err
    assert call("check", "seed.py", "--wrt", "W2")[0] == 2


@pytest.mark.parametrize("text", ["def (", "1/0", "import nosuch", "import sys; sys.exit(0)", "", "x = 1"])
def test_the_check_of_what_is_no_module(call, text):
    Path("wrong.py").write_text(text)
    code, out, err = call("check", "wrong.py")
    assert (code, out) == (2, "") and err.startswith("error: ") and "Traceback" not in err


def test_the_check_of_an_input_that_is_asked_for(call):
    code, out, _ = call("check", SEED, "--wrt", "x")
    assert code == 0 and {row.split()[0] for row in out.splitlines()[1:]} >= {"x"}


# ---- files


def test_writing_keeps_the_old_file_where_it_fails(tmp_path, monkeypatch):
    path = tmp_path / "module.py"
    path.write_text("old")

    def fail(*arguments):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(EmissionError, match="Input/output error"):
        write_atomically(path, "new")
    assert path.read_text() == "old" and names(tmp_path) == ["module.py"]


def test_writing_keeps_the_permissions(tmp_path):
    path = tmp_path / "module.py"
    write_atomically(path, "one\n")
    assert path.stat().st_mode & 0o777 == 0o666 & ~current_umask()
    path.chmod(0o640)
    write_atomically(path, "two\n")
    assert path.stat().st_mode & 0o777 == 0o640 and path.read_bytes() == b"two\n"


def test_writing_over_a_folder(tmp_path):
    with pytest.raises(EmissionError, match="it is a folder"):
        write_atomically(tmp_path, "text")


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_was_not_generated_or_edited_since_is_not_replaced(call):
    Path("seed.py").write_text("import numpy as mine\n")
    code, _, err = call("generate", SEED, EXERCISE, "-o", ".")
    assert code == 2 and "seed.py is no module that was generated" in err and "--force" in err
    assert not Path("exercise.py").exists() and Path("seed.py").read_text() == "import numpy as mine\n"
    assert call("generate", SEED, "-o", ".", "--force")[0] == 0
    # The text of an older model is replaced, an edited one is not, line ends of another system are no edit.
    smaller = call("generate", SEED, "--wrt", "W2")[1]
    Path("seed.py").write_bytes(smaller.replace("\n", "\r\n").encode())
    assert call("generate", SEED, "-o", ".") == (0, "", "wrote seed.py\n")
    Path("seed.py").write_text(smaller.replace("2.0", "3.0").replace("0.5", "0.25"))
    code, _, err = call("generate", SEED, "-o", ".")
    assert code == 2 and "was edited since" in err
    Path("seed.py").write_text("")
    assert call("generate", SEED, "-o", "seed.py")[0] == 0


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no /dev/stdout on this machine")
def test_what_standard_output_goes_to_is_written_through_and_not_replaced(tmp_path):
    path = tmp_path / "all"
    write = "from pathlib import Path; from symbackprop.emission.files import write_atomically"
    script = f"{write}; print('one'); write_atomically(Path('/dev/stdout'), 'two\\n'); print('three')"
    command = f'(echo zero; "{sys.executable}" -c "{script}"; echo four) > "{path}"'
    done = run_within(60, ["sh", "-c", command], env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0
    assert path.read_text().split() == ["zero", "one", "two", "three", "four"]


def test_a_link_is_followed_and_a_device_is_written_to(tmp_path):
    (tmp_path / "there").write_text("before")
    (tmp_path / "link").symlink_to("there")
    write_atomically(tmp_path / "link", "after")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "there").read_text() == "after"
    device = tmp_path / "device"
    os.mkfifo(device)
    with os.fdopen(os.open(device, os.O_RDONLY | os.O_NONBLOCK)) as reader:
        write_atomically(device, "through")
        assert reader.read() == "through"
    assert device.is_fifo()


def test_a_module_hides_no_module_that_it_imports(call, tmp_path):
    for name in ("typing", "numpy", "class"):
        Path(f"{name}.model").write_text("param w\nloss E = w^2\n")
    assert call("generate", "typing.model", "numpy.model", "class.model", "-o", ".")[0] == 0
    assert {"model_typing.py", "model_numpy.py", "model_class.py"} <= set(names(tmp_path))
    Path("W.model").write_text("param w\nloss E = w^2\n")
    Path("w.model").write_text("param w\nloss E = w^3\n")
    code, _, err = call("generate", "W.model", "w.model", "-o", ".")
    assert code == 2 and "two models would be written as w.py" in err


@pytest.mark.parametrize("name", ["pipe", "pipe.py"])
def test_a_pipe_is_no_module(call, tmp_path, name):
    os.mkfifo(tmp_path / name)
    code, _, err = call("generate", SEED, "-o", tmp_path / name)
    assert code == 2 and "is neither a folder nor a plain file" in err and "mkdir" not in err
    assert not (tmp_path / name).is_file()


def test_the_remedy_for_a_folder_that_is_not_there_can_be_pasted(call, tmp_path):
    code, _, err = call("generate", SEED, "--no-verify", "-o", "two words")
    assert code == 2 and "mkdir -p 'two words'" in err and "-o 'two words.py'" in err
    code, _, err = call("latex", SEED, "-o", "two words/seed.tex")
    assert code == 2 and "mkdir -p 'two words'" in err
    assert call("latex", SEED, "-o", f"{'n' * 250}.tex")[0] == 0


@pytest.fixture
def again(call, tmp_path, monkeypatch):
    """Runs the command where modules are kept, which may not make one where none `is_made`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(SWITCH)

    def again(*arguments, is_made=False):
        made = []
        with monkeypatch.context() as patched:
            patched.setattr(generate, "_generated", lambda *a, **b: made.append(a) or _GENERATED(*a, **b))
            found = call("generate", *arguments)
        assert bool(made) == is_made
        return found

    return again


_GENERATED = generate._generated
OPTIONS = {"wrt": None, "verify": True, "less_memory": False, "workspaces": False}
SMALL = "index i : I\nparam p[i]\nloss E = sum(i, p[i]^2)\n"


def test_a_module_of_the_same_model_and_options_is_kept(again, tmp_path):
    (tmp_path / "m.model").write_text(SMALL)
    first = again("m.model", is_made=True)
    assert again("m.model") == first and first[0] == 0
    for options in (["--fast"], ["--memory"], ["--no-verify"], ["--wrt", "p"], ["--size", "I=3"]):
        other = again("m.model", *options, is_made=True)
        assert again("m.model", *options) == other
    assert again("m.model") == first
    (tmp_path / "n.model").write_text(SMALL)
    assert again("n.model", is_made=True)[1] != first[1]  # its name is in its text
    (tmp_path / "m.model").write_text(SMALL.replace("^2", "^3"))
    assert again("m.model", is_made=True)[1] != first[1]


def test_a_model_that_there_is_something_to_say_about_is_read_again(again, tmp_path):
    (tmp_path / "m.model").write_text(SMALL.replace("[i]\n", "[i], q\n"))
    first = again("m.model", is_made=True)
    assert "does not depend on q" in first[2]
    assert again("m.model", is_made=True) == first
    (tmp_path / "m.model").write_text(SMALL.replace("^2", "^"))
    assert again("m.model")[0] == again("m.model")[0] == again("none.model")[0] == 2


@pytest.mark.parametrize(("labels", "is_said"), [("x[i], t[i] in K", True), ("x[i]\ninput t[i] in K", False)])
def test_places_that_are_read_as_numbers_alone_are_said(again, tmp_path, labels, is_said):
    model = f"index i : I\nindex k : K\ninput {labels}\nparam W[k]\nloss E = sum(i, W[t[i]]*x[i])\n"
    (tmp_path / "m.model").write_text(model)
    said = again("m.model", is_made=True)[2]
    assert ("m.model:3:7: x holds places of K" in said) == is_said
    assert "t holds places" not in said


def test_a_kept_module_that_was_changed_does_not_count(again, tmp_path):
    (tmp_path / "m.model").write_text(SMALL)
    _, text, _ = again("m.model", is_made=True)
    question = question_of("m.model", {**OPTIONS, "sizes": {}})
    assert kept(question) == KeptModule("m", text)
    keep(question, KeptModule("m", text.replace("2", "3")))
    assert kept(question) is None
    assert again("m.model", is_made=True)[1] == text


def test_a_model_that_changes_meanwhile_is_not_kept(again, tmp_path, monkeypatch):
    model = tmp_path / "m.model"
    model.write_text(SMALL)

    def and_then_changed(*arguments, **options):
        model.write_text(SMALL.replace("^2", "^4"))
        return _GENERATED(*arguments, **options)

    monkeypatch.setattr(generate, "_generated", and_then_changed)
    assert generate._kept_or_made("m.model", {}, OPTIONS).model == "m"
    model.write_text(SMALL)
    again("m.model", is_made=True)


def test_a_kept_module_costs_no_import_of_what_derives(tmp_path):
    (tmp_path / "m.model").write_text(SMALL)
    program = (
        "import sys\nfrom symbackprop.cli.main import run\n"
        "assert run(['generate', 'm.model', '-o', 'm.py']) == 0\n"
        "print('symbackprop.pipeline' in sys.modules)"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    environment.pop(SWITCH, None)
    said = [
        subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    ]
    assert said == ["True\n", "False\n"]
