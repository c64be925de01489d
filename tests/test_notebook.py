"""`progress=True` in a real Jupyter kernel, whose stderr is no terminal: a widget, or a line of text where there are none."""

import sys

import pytest

pytest.importorskip("ipykernel")
jupyter_client = pytest.importorskip("jupyter_client")

WIDGET = "application/vnd.jupyter.widget-view+json"
# chunks of one update, so that there is something to see
TRAIN = """
import warnings
warnings.simplefilter("error")
import fastgd
from fastgd.training import loop

loop.CHUNK_SECONDS = 0.0
X, Y = fastgd.data.gate("xor")
net = fastgd.MLP(2, 2, 1)
options = {"rng": 0, "kernel": "matrix"}
assert fastgd.train(net, X, Y, 30, progress=True, **options) == fastgd.train(net, X, Y, 30, **options)
"""
TRAIN_MANY = """
assert fastgd.train_many(net, X, Y, 30, members=2, progress=True, **options) == fastgd.train_many(net, X, Y, 30, members=2, **options)
"""

# as if they were not installed, and had not been looked for
HIDE_WIDGETS = """
import sys

for name in [name for name in sys.modules if name.startswith(("ipywidgets", "tqdm."))]:
    del sys.modules[name]
sys.modules["ipywidgets"] = None
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """A function that runs code in a kernel of this interpreter, and returns the messages that a notebook would show."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import KernelManager

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name)))  # not what this user has chosen for notebooks
        manager = KernelManager()
        manager._kernel_spec = KernelSpec(argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"])
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=120)

        def run(code):
            messages = []
            reply = client.execute_interactive(code, timeout=300, output_hook=messages.append, store_history=False)
            assert reply["content"]["status"] == "ok", "\n".join(reply["content"]["traceback"])
            return messages

        yield run
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def text(messages):
    """What is shown as text."""
    return "".join(message["content"]["text"] for message in messages if message["msg_type"] == "stream")


def widgets(messages):
    """How many widgets are shown."""
    return sum(WIDGET in message["content"]["data"] for message in messages if message["msg_type"] == "display_data")


def test_a_widget(kernel):
    pytest.importorskip("ipywidgets")
    messages = kernel(TRAIN)
    assert (widgets(messages), text(messages)) == (1, "")
    messages = kernel(TRAIN_MANY)
    assert (widgets(messages), text(messages)) == (1, "")


def test_a_line_of_text_without_widgets(kernel):
    """And no warning that these are missing."""
    kernel(HIDE_WIDGETS)
    messages = kernel(TRAIN)
    assert widgets(messages) == 0
    assert "/30.0 [00:00<" in text(messages)
    assert "Warning" not in text(messages)


def test_pictures(kernel):
    """Of a network, without a widget; beside the text that terminals show."""
    (shown,) = [message["content"]["data"] for message in kernel("net") if message["msg_type"] == "execute_result"]
    assert shown["text/plain"].startswith("MLP(2, 2, 1")
    assert '<svg xmlns="http://www.w3.org/2000/svg" role="img"' in shown["text/html"]


def test_none_where_none_is_asked_for(kernel):
    messages = kernel(TRAIN.replace("progress=True", "progress=False"))
    assert (widgets(messages), text(messages)) == (0, "")
