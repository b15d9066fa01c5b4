#!/bin/bash
# Train on a scan and reconstruct it, on the GPUs of one node:
#     sbatch examples/slurm.sh scan.npz out/run
#SBATCH --job-name=ptychopinn
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --time=01:00:00
set -euo pipefail
scan=$1
folder=$2

# One process for each GPU; they share the patterns and write one result.
launch=(torchrun --standalone --nproc-per-node "${SLURM_GPUS_ON_NODE:-1}" -m ptychopinn)

"${launch[@]}" train "$scan" -o "$folder/train"
"${launch[@]}" reconstruct "$scan" --bundle "$folder/train/wts.h5.zip" -o "$folder/image"
