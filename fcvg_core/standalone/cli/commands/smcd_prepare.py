"""`smcd-prepare`: the files that SMCD's training and evaluation need beside a data set."""

import argparse

from ....choices import BOX_SETS, GOT10K, YOUVIS
from ...spec.values import PATH

HELP = "write the files that smcd-train and smcd-eval need beside a data set"
DESCRIPTION = (
    f"Write what the official preprocessing writes: for {GOT10K} obj_embedding.json, with the "
    f"embedded name of each object; for {YOUVIS} annotations_info.json and "
    "annotations_info_with_cat_emb.json in the folder of the split, with the annotations of each "
    "video and the embedded categories. Only the text encoder is needed, and no weights of SMCD. "
    "Nothing is overwritten."
)
EXAMPLES = (
    "smcd-prepare --dataset got10k --path dataset",
    "smcd-prepare --dataset youvis --path dataset --split train "
    "--root-path modelscope-damo-text-to-video-synthesis",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--dataset", choices=BOX_SETS, required=True, help="which data set")
    parser.add_argument(
        "--data",
        "--path",
        type=PATH,
        metavar="DIR",
        default="dataset",
        help="folder that holds got-10k and youvis, or one of both (%(default)s)",
    )
    parser.add_argument(
        "--split",
        nargs="+",
        default=(),
        metavar="NAME",
        help=f"folders of the data set; by default train and val of {GOT10K}, train of {YOUVIS}",
    )
    parser.add_argument(
        "--text-encoder", type=PATH, metavar="FILE", help="SD 2.1's text encoder, a file of its own"
    )
    parser.add_argument(
        "--root-path",
        "--root_path",
        type=PATH,
        metavar="DIR",
        help="folder of ModelScope's text-to-video model: its open_clip_pytorch_model.bin is used",
    )
    parser.add_argument(
        "--tokenizer", type=PATH, metavar="DIR", help="folder with CLIP's vocab.json and merges.txt"
    )
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1 ... (%(default)s)"
    )


def run(options: argparse.Namespace) -> None:
    """Embed the labels, and write the files."""
    from ....box_sets.preparing import prepare_set
    from ....catalogue.comfyui import known_folders
    from ...networks.device import choose_device
    from ...networks.smcd import EncoderFiles, load_label_encoder
    from ..progress import Bars

    files = EncoderFiles(
        text_encoder=options.text_encoder,
        modelscope=options.root_path,
        tokenizer=options.tokenizer,
    )
    embed = load_label_encoder(files, known_folders(), device=choose_device(options.device))
    with Bars() as bars:
        written = prepare_set(
            options.data, options.dataset, embed, splits=options.split, progress=bars
        )
    for path in written:
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
