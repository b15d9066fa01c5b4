#!/bin/bash
# Train on a scan and reconstruct it, on all GPUs of one node or of several:
#     sbatch examples/slurm.sh scan.npz out/run
#     sbatch --nodes=2 examples/slurm.sh scan.npz out/run --max-steps 400
# What follows the folder goes to train. A job that is queued again, or submitted again with the
# same arguments, goes on where it was stopped.
#SBATCH --job-name=ptychopinn
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --time=01:00:00
#SBATCH --requeue
set -euo pipefail
scan=$1
folder=$2
shift 2

nodes=${SLURM_JOB_NUM_NODES:-1}
gpus=${SLURM_GPUS_ON_NODE:-1}
hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
first=${hosts%%$'\n'*}
port=$((20000 + SLURM_JOB_ID % 20000))
# On each node one torchrun, which starts a process for each GPU; they share the patterns and write
# one result. Where one dies, torchrun ends the others.
launch=(srun torchrun --nnodes "$nodes" --nproc-per-node "$gpus"
    --rdzv-backend c10d --rdzv-id "$SLURM_JOB_ID" --rdzv-endpoint "$first:$port" -m ptychopinn)
# Every process takes as many groups of a batch: two, as one process alone would.
batch=$((2 * nodes * gpus))
resume=()
if [[ -e $folder/train/checkpoint.ckpt ]]; then
    resume=(--resume)
fi

"${launch[@]}" train "$scan" -o "$folder/train" --batch-size "$batch" "${resume[@]}" "$@"
"${launch[@]}" reconstruct "$scan" --bundle "$folder/train/wts.h5.zip" -o "$folder/image" --resume
