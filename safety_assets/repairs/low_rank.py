"""Leading singular directions of a matrix: exact where it is small, randomised where only a few are wanted."""

import torch
from torch import Tensor

EXACT = 1024
"""Up to this shorter side a matrix is decomposed exactly."""
ITERATIONS = 4
OVERSAMPLED = 8


def leading(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """The largest singular values with their vectors; of two equal calls the same.

    Args:
        matrix: fp32.  # (m, n)
        rank: how many; the shorter side at most counts.

    Returns:
        U, S, V with matrix ~ U diag(S) V^T.  # (m, k), (k,), (n, k)
    """
    k = min(rank, *matrix.shape)
    if min(matrix.shape) <= EXACT or 4 * k >= min(matrix.shape):
        u, s, vt = torch.linalg.svd(matrix, full_matrices=False)
        return u[:, :k], s[:k], vt[:k].T
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        u, s, v = torch.svd_lowrank(matrix, q=k + OVERSAMPLED, niter=ITERATIONS)
    return u[:, :k], s[:k], v[:, :k]


def truncated(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor | None]:
    """The best approximation of this rank and its left directions; the matrix itself and None for rank 0."""
    if rank == 0:
        return matrix, None
    u, s, v = leading(matrix, rank)
    return (u * s) @ v.T, u
