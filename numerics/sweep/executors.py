"""Who does the work of a sweep: processes of this machine, or a Dask cluster."""

from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager

from derive.errors import InputError, Undecided, quoted
from numerics.sweep.processes import LocalPool

PATIENCE = 10  # seconds in which a scheduler answers
_LOGGERS = ("distributed", "distributed.client", "tornado", "tornado.application")


@contextmanager
def executor_for(scheduler: str | None, workers: int | None) -> Iterator[Executor]:
    """The executor of a sweep: local processes, or the cluster of a Dask scheduler.

    Arguments:
        scheduler: address of one, such as ``tcp://10.0.0.1:8786``, or ``None``.
        workers: number of local processes, all cores by default.

    Raises ``InputError`` if the scheduler does not answer, or Dask is not installed.
    """
    if scheduler is not None:
        with _cluster(scheduler) as executor:
            yield executor
        return
    with LocalPool(workers) as pool:
        try:
            yield pool
        except BaseException:
            pool.end()
            raise


@contextmanager
def _cluster(scheduler: str) -> Iterator[Executor]:
    try:
        import dask

        # What goes wrong there is told here, in one line; the logs of a cluster are its own.
        dask.config.set(logging=dict.fromkeys(_LOGGERS, "critical"))
        from distributed import Client, KilledWorker
        from distributed.comm import CommClosedError
    except ImportError:
        raise InputError(
            "--scheduler needs Dask, which is not installed: in a checkout, "
            "pip install -c constraints.txt '.[sweep]'"
        ) from None
    try:
        client = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError):
        raise InputError(
            f"no scheduler answers at {quoted(scheduler)}: give the address that dask scheduler "
            "prints, such as tcp://127.0.0.1:8786"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=30)
        except TimeoutError:
            raise InputError(
                f"the scheduler at {quoted(scheduler)} has no workers: start some with dask worker"
            ) from None
        try:
            yield client.get_executor(pure=False)
        except (CancelledError, CommClosedError, KilledWorker):
            raise Undecided(
                f"the scheduler at {quoted(scheduler)} was lost, or its workers died; what was "
                "finished is kept: run the same command again"
            ) from None
