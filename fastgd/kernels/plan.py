"""What shapes a training loop: the network, the batches, the method; and which kernel runs it."""

from dataclasses import dataclass

from fastgd.network import MLP

_WIDE_PRODUCT = 4096  # multiplications of the largest layer in one batch from which on BLAS beats loops over vectors


@dataclass(frozen=True)
class Plan:
    """A training loop, without its numbers."""

    net: MLP
    n: int
    batch: int  # rows of a batch; n for full batch
    shuffle: bool
    method: str
    kernel: str

    @property
    def batches(self) -> int:
        """Batches of an epoch; the last may be short."""
        return -(-self.n // self.batch)

    @property
    def wide(self) -> bool:
        """Whether the matrix kernel's products are BLAS's."""
        largest = max(layer.inputs * layer.outputs for layer in self.net.layers)
        return max(self.net.widths) >= 8 and largest * self.batch >= _WIDE_PRODUCT


def make_plan(net: MLP, n: int, batch_size: int | None, shuffle: bool, method: str, kernel: str) -> Plan:
    """The plan of checked arguments; "auto" chooses the kernel by them alone."""
    full = batch_size is None
    return Plan(
        net=net,
        n=n,
        batch=n if batch_size is None else batch_size,
        shuffle=shuffle and not full,
        method=method,
        kernel="matrix" if kernel == "auto" else kernel,
    )
