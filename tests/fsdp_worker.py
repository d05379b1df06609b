"""Run by `accelerate launch --config_file fsdp.yaml`: a training sharded over processes without a GPU, which
accelerate itself shards over GPUs alone."""

from accelerate import PartialState
from accelerate.utils import DistributedType
from maqa_severity.trainers.__main__ import main

_init = PartialState.__init__


def _as_if_on_gpus(self, *args, **kwargs):
    _init(self, *args, **kwargs)
    if self.distributed_type == DistributedType.MULTI_CPU:
        self.distributed_type = DistributedType.MULTI_GPU


if __name__ == "__main__":
    PartialState.__init__ = _as_if_on_gpus
    main()
