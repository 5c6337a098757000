"""Runs of optimisers and schedulers that PyTorch can make, too: what it gave is in from_pytorch.json.

`tests/parity/test_optim_recorded.py` compares that file with PyTorch, and writes it anew if the environment has RECORD.
"""

import math
from pathlib import Path

RECORDED = Path(__file__).parent / "from_pytorch.json"

OPTIMISERS = [
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "maximize": True, "momentum": 0.5}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.2}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.2}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.7), "eps": 0.01}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.5), "eps": 0.01, "amsgrad": True, "weight_decay": 0.3}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.5), "maximize": True, "decoupled_weight_decay": True, "weight_decay": 0.3}),
    ("AdamW", {"lr": 0.1, "betas": (0.8, 0.5), "eps": 0.01, "amsgrad": True, "weight_decay": 0.3}),
    ("Adamax", {"lr": 0.1, "betas": (0.8, 0.5), "eps": 0.1, "weight_decay": 0.3}),
    ("Adamax", {"lr": 0.1, "maximize": True}),
    ("NAdam", {"lr": 0.1, "betas": (0.8, 0.7), "eps": 0.01, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True, "maximize": True}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.3}),
    ("RAdam", {"lr": 0.1, "betas": (0.8, 0.9), "eps": 0.01}),
    ("RAdam", {"lr": 0.1, "betas": (0.8, 0.7), "weight_decay": 0.3, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {"lr": 0.1, "betas": (0.8, 0.8), "weight_decay": 0.3}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.2, "initial_accumulator_value": 0.5, "eps": 0.1, "weight_decay": 0.3}),
    ("Adagrad", {"lr": 0.1, "maximize": True}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 0.01, "weight_decay": 0.3}),
    ("Adadelta", {"lr": 0.5, "maximize": True}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.8, "eps": 0.1}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.8, "centered": True, "eps": 0.1, "weight_decay": 0.3}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.8, "momentum": 0.5, "maximize": True}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.8, "momentum": 0.5, "centered": True, "eps": 0.1}),
    ("Rprop", {"lr": 0.1}),
    ("Rprop", {"lr": 0.1, "etas": (0.3, 1.9), "step_sizes": (0.05, 0.2), "maximize": True}),
    ("ASGD", {"lr": 0.1, "lambd": 0.2, "alpha": 0.6, "t0": 2, "weight_decay": 0.3}),
    ("ASGD", {"lr": 0.1, "maximize": True}),
    ("Adafactor", {"lr": 0.1, "weight_decay": 0.3}),
    ("Adafactor", {"lr": 0.1, "eps": (1e-3, 0.5), "d": 1.2, "beta2_decay": -0.5, "maximize": True}),
    ("Muon", {"lr": 0.1}),
    ("Muon", {"lr": 0.1, "weight_decay": 0.3, "momentum": 0.5, "nesterov": False, "ns_steps": 3}),
    ("Muon", {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw", "eps": 0.1}),
]
"""Of a matrix (3, 2), in float64."""

SCHEDULERS = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [2, 5, 5], "gamma": 0.5}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 4}),
    ("LinearLR", {"start_factor": 0.25, "end_factor": 0.75, "total_iters": 5}),
    ("ExponentialLR", {"gamma": 0.7}),
    ("PolynomialLR", {"total_iters": 6, "power": 1.7}),
    ("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 3}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 2, "step_size_down": 3}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 2, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 2, "mode": "exp_range", "gamma": 0.9}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3, "base_momentum": 0.6, "max_momentum": 0.8}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 13}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 13, "three_phase": True, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 4, "steps_per_epoch": 4, "pct_start": 0.5, "div_factor": 5.0}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 13, "cycle_momentum": False, "final_div_factor": 9.0}),
    ("ReduceLROnPlateau", {"patience": 1, "factor": 0.5}),
    ("ReduceLROnPlateau", {"patience": 0, "factor": 0.5, "threshold": 0.2}),
    ("SequentialLR", {"milestones": [3, 6]}),
    ("ChainedScheduler", {}),
    ("LambdaLR", {}),
    ("MultiplicativeLR", {}),
    ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 5}),
    ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 4, "anneal_strategy": "linear"}),
    ("CosineAnnealingLR", {"T_max": 5, "last_epoch": 2}),
    ("StepLR", {"step_size": 3, "last_epoch": 4}),
    ("PolynomialLR", {"total_iters": 9, "last_epoch": 2}),
    ("ReduceLROnPlateau", {"patience": 0, "factor": 0.5, "cooldown": 2, "threshold": 0.2, "mode": "max"}),
    ("ReduceLROnPlateau", {"patience": 0, "factor": 0.5, "threshold": 0.2, "threshold_mode": "abs", "min_lr": 0.02}),
    ("ReduceLROnPlateau", {"patience": 0, "threshold": 0.2, "threshold_mode": "abs", "mode": "max", "eps": 0.03}),
]
"""Rates and momenta of twelve epochs."""

AVERAGES = [
    ("avg_fn", ("ema", 0.8)),
    ("avg_fn", ("swa",)),
    ("multi_avg_fn", ("ema", 0.8)),
    ("multi_avg_fn", ("swa",)),
]
"""Of a layer, over six steps."""

LOSSES = {
    "valley": lambda w: (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2,
    "waves": lambda w: (3 * w[0]).sin() + (5 * w[1]).cos() + 0.1 * (w * w).sum() + (w[0] * w[1] * 2).sin(),
    "steep": lambda w: (w[0] ** 2 + 1).log() + (w[1] * 4).exp() + (-3 * w[1]).exp(),
    "kinked": lambda w: w[0].abs() + (w[1] - 0.3).abs() * 3 + w[0] * w[0],
    "quartic": lambda w: w[0] ** 4 - 3 * w[0] ** 2 + w[0] + 2 * (w[1] - 1) ** 4,
}
SEARCHES = [
    *((loss, start, {"line_search_fn": "strong_wolfe"}) for loss in LOSSES for start in ((-1.2, 1.0), (0.3, -0.7))),
    *((loss, (0.9, 0.4), {"line_search_fn": "strong_wolfe", "lr": 3.0, "max_iter": 6}) for loss in LOSSES),
    *((loss, (0.9, 0.4), {"line_search_fn": "strong_wolfe", "history_size": 2, "max_eval": 9}) for loss in LOSSES),
    *((loss, (-0.4, 1.5), {"line_search_fn": "strong_wolfe", "history_size": 1}) for loss in LOSSES),
    *((loss, (0.4, -0.3), {"line_search_fn": "strong_wolfe", "tolerance_change": 0.05}) for loss in LOSSES),
    *((loss, (0.5, 0.2), {"lr": 0.1, "history_size": 3, "max_iter": 8}) for loss in LOSSES),
]
"""Where L-BFGS evaluates these losses in two steps; an optimiser with the state of the first makes the second."""


def stepped(torch, name, options):
    """A matrix and another one after each of eight steps; after five another optimiser takes over."""
    start = ([[1.0, -2.0], [0.5, 0.3], [-0.7, 1.1]], [[0.2, 0.4]] if name == "Muon" else [0.2, 0.4])  # of matrices only
    params = [torch.nn.Parameter(torch.tensor(rows, dtype=torch.float64)) for rows in start]
    optimizer = getattr(torch.optim, name)(params, **options)
    found = []
    for k in range(8):
        numbers = [math.sin(1.7 * k + i) * (1 + (i == k % 6)) * (1 if k else 0.1) for i in range(8)]
        params[0].grad = torch.tensor([numbers[r : r + 2] for r in (0, 2, 4)], dtype=torch.float64)
        params[1].grad = torch.tensor(numbers[6:], dtype=torch.float64).reshape(params[1].shape)
        if k == 5:
            kept, optimizer = optimizer.state_dict(), getattr(torch.optim, name)(params)
            optimizer.load_state_dict(kept)
        optimizer.step()
        found.append([number for p in params for number in p.detach().reshape(-1).tolist()])
    return found


def scheduled(torch, name, options):
    """The rates and momenta of two groups in twelve epochs."""
    a, b = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
    optimizer = torch.optim.SGD([{"params": [a], "lr": 0.4}, {"params": [b]}], lr=0.1, momentum=0.7)
    for group in optimizer.param_groups if "last_epoch" in options else ():
        group["initial_lr"] = 2 * group["lr"]
    scheduler = scheduler_of(torch, name, optimizer, options)
    found = []
    for k in range(12):
        optimizer.step()
        if k == 6 and name != "ChainedScheduler":
            scheduler.load_state_dict(scheduler.state_dict())
        found.append([group[setting] for group in optimizer.param_groups for setting in ("lr", "momentum")])
        found[-1] += [*scheduler.get_last_lr(), getattr(scheduler, "last_epoch", 0)]
        if name == "ReduceLROnPlateau":
            scheduler.step([3.0, 2.7, 2.85, 1.8, 1.5, 1.35, 2.4][k % 7])
        elif name == "CosineAnnealingWarmRestarts" and options["T_0"] == 2:
            scheduler.step(1.5 * k)
        else:
            scheduler.step()
    return found


def scheduler_of(torch, name, optimizer, options):
    """A scheduler, also of several, or of functions."""
    kinds = torch.optim.lr_scheduler
    if name in ("SequentialLR", "ChainedScheduler"):
        parts = [kinds.ConstantLR(optimizer, 0.5, 2), kinds.ExponentialLR(optimizer, 0.9)]
        parts.append(kinds.CosineAnnealingLR(optimizer, 3))
        return getattr(kinds, name)(*((optimizer, parts) if name == "SequentialLR" else (parts,)), **options)
    if name in ("LambdaLR", "MultiplicativeLR"):
        return getattr(kinds, name)(optimizer, [lambda epoch: 0.9**epoch, lambda epoch: 1 / (1 + epoch)])
    if name == "SWALR":
        return torch.optim.swa_utils.SWALR(optimizer, **options)
    return getattr(kinds, name)(optimizer, **options)


def averaged(torch, kind, options):
    """A layer and the average of it over six steps."""
    utils = torch.optim.swa_utils
    layer = torch.nn.Linear(2, 1).double()
    model = utils.AveragedModel(layer, **{kind: getattr(utils, f"get_{options[0]}_{kind}")(*options[1:])})
    found = []
    for k in range(6):
        for n, p in enumerate(layer.parameters()):
            p.data = torch.tensor([math.cos(k + n + i) for i in range(p.numel())], dtype=torch.float64).reshape(p.shape)
        model.update_parameters(layer)
        found.append([number for p in model.module.parameters() for number in p.detach().reshape(-1).tolist()])
    return found


def searched(torch, loss_name, start, options):
    """Every point at which L-BFGS asks for the loss, and where it ends."""
    w = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = torch.optim.LBFGS([w], **options)
    found = []

    def closure():
        optimizer.zero_grad()
        loss = LOSSES[loss_name](w)
        loss.backward()
        found.append(w.tolist())
        return loss

    optimizer.step(closure)
    kept, optimizer = optimizer.state_dict(), torch.optim.LBFGS([w])
    optimizer.load_state_dict(kept)
    optimizer.step(closure)
    (state,) = kept["state"].values()
    shares = [share is not None for share in state["al"]]
    found.append([state["func_evals"], state["n_iter"]])
    found.append([sum(shares), float(state["H_diag"])])
    return [*found[:40], *found[-2:], w.tolist()]


KINDS = {
    "optimisers": (stepped, OPTIMISERS),
    "schedulers": (scheduled, SCHEDULERS),
    "searches": (searched, SEARCHES),
    "averages": (averaged, AVERAGES),
}
