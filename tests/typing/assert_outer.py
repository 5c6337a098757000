"""What type checkers know of the packages around the core: optimisers, data, files, images, functions of functions.

`mypy --strict` and `pyright` read this file; nothing runs it.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt
from PIL.Image import Image

from tinygrad_cnn import (
    Size,
    Tensor,
    arange,
    autograd,
    data,
    datasets,
    distributions,
    func,
    io,
    nn,
    optim,
    random,
    serialization,
    testing,
    transforms,
    utils,
)
from tinygrad_cnn.autograd.hooks import RemovableHandle
from tinygrad_cnn.cli import main
from tinygrad_cnn.func.signatures import Pullback
from tinygrad_cnn.optim import lr_scheduler, swa_utils
from tinygrad_cnn.transforms import functional as F
from tinygrad_cnn.utils.data import (
    BatchSampler,
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from tinygrad_cnn.utils.data.workers import WorkerInfo

NDArray = npt.NDArray[Any]
Settings = dict[str, Any]


def tensor_closure() -> Tensor:
    return Tensor([1.0])


def number_closure() -> float:
    return 1.0


def optimisers(net: nn.Linear, group: Settings, array: NDArray) -> None:
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    assert_type(optimizer, optim.SGD)
    assert_type(optimizer.step(), None)
    assert_type(optimizer.step(None), None)
    assert_type(optimizer.step(tensor_closure), Tensor)
    assert_type(optimizer.step(number_closure), float)
    assert_type(optimizer.step(lambda: 1.0), float)
    assert_type(optimizer.zero_grad(), None)
    assert_type(optimizer.add_param_group(group), None)
    assert_type(optimizer.check(group), None)
    assert_type(optimizer.update(array, array, group, group), None)
    assert_type(optimizer.state_dict(), dict[str, Any])
    assert_type(optimizer.load_state_dict(optimizer.state_dict()), None)
    assert_type(optimizer.param_groups, list[dict[str, Any]])
    assert_type(optimizer.register_step_pre_hook(print), RemovableHandle)
    assert_type(optimizer.register_step_post_hook(print), RemovableHandle)
    assert_type(optimizer.register_state_dict_pre_hook(print), RemovableHandle)
    assert_type(optimizer.register_state_dict_post_hook(print), RemovableHandle)
    assert_type(optimizer.register_load_state_dict_pre_hook(print), RemovableHandle)
    assert_type(optimizer.register_load_state_dict_post_hook(print), RemovableHandle)
    assert_type(optim.Optimizer([net.weight], {}).step(tensor_closure), Tensor)
    assert_type(optim.ASGD(net.parameters()).step(), None)
    assert_type(optim.Adadelta(net.named_parameters()).step(), None)
    assert_type(optim.Adafactor([net.weight]).step(), None)
    assert_type(optim.Adagrad([{"params": net.parameters(), "lr": 0.1}]).step(), None)
    assert_type(optim.Adagrad([net.weight]).share_memory(), None)
    assert_type(optim.Adam([net.weight]).step(), None)
    assert_type(optim.AdamW([net.weight]).step(), None)
    assert_type(optim.Adamax([net.weight]).step(), None)
    assert_type(optim.LBFGS([net.weight]).step(tensor_closure), Tensor)
    assert_type(optim.LBFGS([net.weight]).step(number_closure), float)
    assert_type(optim.NAdam([net.weight]).step(), None)
    assert_type(optim.RAdam([net.weight]).step(), None)
    assert_type(optim.RMSprop([net.weight]).step(), None)
    assert_type(optim.Rprop([net.weight]).step(), None)


def schedules(optimizer: optim.Optimizer, rates: Callable[[int], float]) -> None:
    plain = lr_scheduler.StepLR(optimizer, 3)
    assert_type(plain.step(), None)
    assert_type(plain.get_lr(), list[float | Tensor])
    assert_type(plain.get_last_lr(), list[float | Tensor])
    assert_type(plain.state_dict(), dict[str, Any])
    assert_type(plain.load_state_dict(plain.state_dict()), None)
    assert_type(plain.base_lrs, list[float | Tensor])
    assert_type(plain.last_epoch, int)
    assert_type(lr_scheduler.LRScheduler(optimizer).get_lr(), list[float | Tensor])
    assert_type(lr_scheduler.ConstantLR(optimizer).get_lr(), list[float | Tensor])
    assert_type(lr_scheduler.CosineAnnealingLR(optimizer, 9).get_lr(), list[float | Tensor])
    assert_type(lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 9).step(0.5), None)
    assert_type(lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 9).get_lr(), list[float | Tensor])
    cyclic = lr_scheduler.CyclicLR(optimizer, 0.1, 0.2)
    assert_type(cyclic.get_lr(), list[float | Tensor])
    assert_type(cyclic.scale_fn(1.0), float)
    assert_type(cyclic.state_dict(), dict[str, Any])
    assert_type(cyclic.load_state_dict({}), None)
    assert_type(lr_scheduler.ExponentialLR(optimizer, 0.9).get_lr(), list[float | Tensor])
    assert_type(lr_scheduler.LambdaLR(optimizer, rates).get_lr(), list[float | Tensor])
    assert_type(lr_scheduler.LinearLR(optimizer).get_lr(), list[float | Tensor])
    assert_type(lr_scheduler.MultiStepLR(optimizer, [3]).get_lr(), list[float | Tensor])
    assert_type(lr_scheduler.MultiplicativeLR(optimizer, rates).get_lr(), list[float | Tensor])
    assert_type(lr_scheduler.OneCycleLR(optimizer, 0.1, 9).get_lr(), list[float | Tensor])
    assert_type(lr_scheduler.PolynomialLR(optimizer).get_lr(), list[float | Tensor])
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer)
    assert_type(plateau.step(Tensor([1.0])), None)
    assert_type(plateau.in_cooldown, bool)
    assert_type(plateau.load_state_dict({}), None)
    assert_type(lr_scheduler.SequentialLR(optimizer, [plain], []).step(), None)
    assert_type(lr_scheduler.ChainedScheduler([plain]).step(), None)


def averages(net: nn.Module, optimizer: optim.Optimizer, x: Tensor) -> None:
    averaged = swa_utils.AveragedModel(net)
    assert_type(averaged.forward(x), Tensor)
    assert_type(averaged.update_parameters(net), None)
    assert_type(averaged.n_averaged, Tensor)
    assert_type(swa_utils.SWALR(optimizer, 0.1).get_lr(), list[float | Tensor])
    assert_type(swa_utils.get_swa_avg_fn()(x, x, 3), Tensor)
    assert_type(swa_utils.get_ema_avg_fn()(x, x, 3), Tensor)
    assert_type(swa_utils.get_swa_multi_avg_fn()([x], [x], 3), None)
    assert_type(swa_utils.get_ema_multi_avg_fn()([x], [x], 3), None)
    assert_type(swa_utils.update_bn([x], net), None)


def files(path: Path, x: Tensor) -> None:
    assert_type(io.save({"x": x}, path), None)
    assert_type(io.load(path), object)
    assert_type(serialization.save(x, path), None)
    assert_type(serialization.load(path), object)
    assert_type(serialization.add_safe_globals([nn.Linear]), None)
    assert_type(serialization.clear_safe_globals(), None)
    assert_type(serialization.get_safe_globals(), list[Callable[..., object]])
    with serialization.safe_globals([nn.Linear]) as nothing:
        assert_type(nothing, None)
    assert_type(io.load_file(path), dict[str, Tensor])
    assert_type(io.save_file({"x": x}, os.fspath(path)), None)
    assert_type(io.load_npz(path), tuple[dict[str, Tensor], dict[str, object]])
    assert_type(io.save_npz(path, {"x": x}, {}), None)
    assert_type(io.write_atomically(path, b""), None)
    assert_type(io.safetensors.load(b""), dict[str, Tensor])
    assert_type(io.safetensors.load_file(path), dict[str, Tensor])
    assert_type(io.safetensors.save({"x": x}), bytes)
    assert_type(io.safetensors.save_file({"x": x}, path), None)
    assert_type(io.ModelFileError("x"), io.ModelFileError)
    assert_type(io.UnreadableFileError("x"), io.UnreadableFileError)


class Stream(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(3))


class Named(Dataset[tuple[Tensor, str]]):
    def __getitem__(self, index: int) -> tuple[Tensor, str]:
        return Tensor([index]), str(index)


def samples(x: Tensor, pairs: list[tuple[Tensor, int]], numbers: Sequence[int], stream: Stream) -> None:
    rows = TensorDataset(x, x)
    assert_type(rows[0], tuple[Tensor, ...])
    assert_type(len(rows), int)
    assert_type(Subset(pairs, [0])[0], tuple[Tensor, int])
    assert_type(data.random_split(rows, [0.5, 0.5]), list[Subset[tuple[Tensor, ...]]])
    assert_type(data.random_split(pairs, [1, 2])[0][0], tuple[Tensor, int])
    assert_type(ConcatDataset([rows, rows])[0], tuple[Tensor, ...])
    assert_type(rows + rows, ConcatDataset[tuple[Tensor, ...]])
    assert_type(StackDataset(rows, numbers)[0], tuple[tuple[Tensor, ...], int])
    assert_type(StackDataset(a=numbers, b=numbers)[0], dict[str, int])
    assert_type(ChainDataset([stream, stream]), ChainDataset[int])
    assert_type(stream + stream, ChainDataset[int])
    assert_type(iter(ChainDataset([stream])), Iterator[int])
    assert_type(Named()[0], tuple[Tensor, str])
    assert_type(data.default_collate([x, x]), Tensor)
    assert_type(data.default_collate(pairs), list[Tensor])
    assert_type(data.default_collate([{"x": x}]), dict[str, Tensor])
    assert_type(data.default_collate(["a"]), list[str])
    assert_type(data.default_collate([Named()[0]]), list[Tensor | list[str]])
    assert_type(data.default_collate([object()]), object)
    assert_type(data.default_convert(np.zeros(3)), Tensor)
    assert_type(data.default_convert(x), Tensor)
    assert_type(data.default_convert((x, x)), list[Tensor])
    assert_type(data.default_convert("a"), str)
    assert_type(data.default_convert(object()), object)
    assert_type(data.get_worker_info(), WorkerInfo | None)


def samplers(rows: Dataset[Tensor], sampler: Sampler[int]) -> None:
    assert_type(list(sampler), list[int])
    assert_type(list(SequentialSampler(rows)), list[int])
    assert_type(list(RandomSampler(rows)), list[int])
    assert_type(RandomSampler(rows).num_samples, int)
    assert_type(list(SubsetRandomSampler([1])), list[int])
    assert_type(list(WeightedRandomSampler([1.0], 1)), list[int])
    assert_type(list(BatchSampler(sampler, 2, drop_last=False)), list[list[int]])


def count(batch: list[tuple[Tensor, ...]]) -> int:
    return len(batch)


def batches(x: Tensor, pairs: list[tuple[Tensor, int]], stream: Stream, own: Sampler[int]) -> None:
    rows = TensorDataset(x, x)
    loader = DataLoader(rows, 64, True, num_workers=2, drop_last=True, generator=random.Generator())
    assert_type(loader, DataLoader[list[Tensor]])
    for images, labels in loader:
        assert_type(images, Tensor)
        assert_type(labels, Tensor)
    assert_type(next(iter(loader)), list[Tensor])
    assert_type(loader.fetch_from(rows)([0]), list[Tensor])
    assert_type(len(loader), int)
    part, _ = data.random_split(rows, [0.5, 0.5])
    assert_type(DataLoader(part, batch_size=2, shuffle=True), DataLoader[list[Tensor]])
    assert_type(DataLoader(pairs, sampler=own), DataLoader[list[Tensor]])
    assert_type(DataLoader(x), DataLoader[Tensor])
    assert_type(DataLoader(stream, 2), DataLoader[Tensor])
    assert_type(DataLoader([{"x": x}]), DataLoader[dict[str, Tensor]])
    assert_type(DataLoader(Named(), 2), DataLoader[list[Tensor | list[str]]])
    assert_type(DataLoader(rows, collate_fn=count), DataLoader[int])
    assert_type(DataLoader(pairs, batch_size=None, collate_fn=len), DataLoader[int])
    texts: DataLoader[list[str]] = DataLoader(["a", "b"])
    for some in texts:
        assert_type(some, list[str])


def sets(root: Path) -> None:
    assert_type(datasets.MNIST(root)[0], tuple[Image, int])
    to_tensor = transforms.ToTensor()
    mnist = datasets.MNIST(root, train=False, transform=to_tensor, download=True)
    assert_type(mnist, datasets.MNIST[Tensor, int])
    assert_type(mnist[0], tuple[Tensor, int])
    assert_type(mnist.data, Tensor)
    assert_type(mnist.targets, Tensor)
    assert_type((mnist.train_data, mnist.test_data), tuple[Tensor, Tensor])
    assert_type((mnist.train_labels, mnist.test_labels), tuple[Tensor, Tensor])
    assert_type(mnist.raw_folder, Path)
    assert_type(mnist.class_to_idx, dict[str, int])
    assert_type(mnist.classes, list[str])
    assert_type(mnist.download(), None)
    assert_type(mnist.extra_repr(), str)
    assert_type(mnist.transformed(0, 0), tuple[Tensor, int])
    for images, labels in DataLoader(mnist, batch_size=64, shuffle=True):
        assert_type(images, Tensor)
        assert_type(labels, Tensor)
    assert_type(datasets.FashionMNIST(root, transform=to_tensor)[0], tuple[Tensor, int])
    assert_type(datasets.KMNIST(root, transform=to_tensor, target_transform=float)[0], tuple[Tensor, float])
    augmented = transforms.Compose([transforms.RandomCrop(32, padding=4), to_tensor, transforms.Normalize([0], [1])])
    cifar = datasets.CIFAR10(root, transform=augmented)
    assert_type(cifar[0], tuple[Tensor, int])
    assert_type(cifar.data, NDArray)
    assert_type(cifar.targets, list[int])
    assert_type(cifar.class_to_idx, dict[str, int])
    assert_type(cifar.download(), None)
    assert_type(cifar.extra_repr(), str)
    assert_type(datasets.CIFAR100(root)[0], tuple[Image, int])
    assert_type(datasets.FakeData(transform=to_tensor)[0], tuple[Tensor, int])
    assert_type(datasets.ImageFolder(root)[0], tuple[Image, int])
    assert_type(datasets.ImageFolder(root, to_tensor)[0], tuple[Tensor, int])
    folder = datasets.DatasetFolder(root, Path, (".txt",))
    assert_type(folder[0], tuple[Path, int])
    assert_type(folder.find_classes(root), tuple[list[str], dict[str, int]])
    assert_type(datasets.DatasetFolder(root, Path, transform=str)[0], tuple[str, int])
    assert_type(datasets.VisionDataset(root).extra_repr(), str)
    digits = datasets.load_sample()
    assert_type(digits, datasets.Digits)
    assert_type(digits.train_images, NDArray)
    assert_type(datasets.load_full(root), datasets.Digits)
    assert_type(datasets.DatasetError("x"), datasets.DatasetError)


def image_transforms(x: Tensor, picture: Image) -> None:
    assert_type(transforms.Resize(28)(x), Tensor)
    assert_type(transforms.Resize(28)(picture), Image)
    assert_type(transforms.Resize(28).forward(picture), Image)
    keeping = (
        transforms.CenterCrop(3),
        transforms.ColorJitter(),
        transforms.GaussianBlur(3),
        transforms.Grayscale(),
        transforms.Pad(1),
        transforms.RandomAffine(3),
        transforms.RandomCrop(3),
        transforms.RandomGrayscale(),
        transforms.RandomHorizontalFlip(),
        transforms.RandomInvert(),
        transforms.RandomPerspective(),
        transforms.RandomResizedCrop(3),
        transforms.RandomRotation(3),
        transforms.RandomSolarize(3),
        transforms.RandomVerticalFlip(),
    )
    a, b, c, d, e, f, g, h, i, j, k, m, n, o, p = keeping
    assert_type((a(x), b(x), c(x), d(x), e(x)), tuple[Tensor, Tensor, Tensor, Tensor, Tensor])
    assert_type((f(x), g(x), h(x), i(x), j(x)), tuple[Tensor, Tensor, Tensor, Tensor, Tensor])
    assert_type((k(x), m(x), n(x), o(x), p(x)), tuple[Tensor, Tensor, Tensor, Tensor, Tensor])
    assert_type((a(picture), b(picture), c(picture), d(picture)), tuple[Image, Image, Image, Image])
    assert_type((e(picture), f(picture), g(picture), h(picture)), tuple[Image, Image, Image, Image])
    assert_type((i(picture), j(picture), k(picture), m(picture)), tuple[Image, Image, Image, Image])
    assert_type((n(picture), o(picture), p(picture)), tuple[Image, Image, Image])
    assert_type(transforms.FiveCrop(3)(picture), tuple[Image, Image, Image, Image, Image])
    assert_type(transforms.TenCrop(3)(x)[9], Tensor)
    assert_type(transforms.RandomErasing()(x), Tensor)
    assert_type(transforms.Normalize([0.1], [0.2])(x), Tensor)
    assert_type(transforms.ConvertImageDtype(np.float32)(x), Tensor)
    assert_type(transforms.LinearTransformation(x, x)(x), Tensor)
    assert_type(transforms.ToTensor()(picture), Tensor)
    assert_type(transforms.ToTensor()(np.zeros((2, 3))), Tensor)
    assert_type(transforms.PILToTensor()(picture), Tensor)
    assert_type(transforms.ToPILImage()(x), Image)
    assert_type(transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.1], [0.2])])(picture), Tensor)
    assert_type(transforms.Compose([transforms.Resize(3), transforms.ToTensor()])(picture), Tensor)
    assert_type(transforms.Compose([transforms.Resize(3), transforms.CenterCrop(3)])(picture), Image)
    assert_type(transforms.Compose([transforms.Resize(3), transforms.CenterCrop(3)])(x), Tensor)
    assert_type(transforms.Compose([len])("a"), int)
    assert_type(transforms.Lambda(len)("a"), int)
    assert_type(transforms.RandomApply([transforms.Resize(3)])(picture), Image)
    assert_type(transforms.RandomChoice([transforms.Resize(3)])(picture), Image)
    assert_type(transforms.RandomOrder([transforms.Resize(3)])(x), Tensor)
    assert_type(transforms.ColorJitter.get_params(None, None, None, None)[0], Tensor)
    assert_type(transforms.GaussianBlur.get_params(0.1, 0.2), float)
    assert_type(transforms.RandomAffine.get_params([1.0], None, None, None, [1, 2])[2], float)
    assert_type(transforms.RandomCrop.get_params(picture, (1, 2)), tuple[int, int, int, int])
    assert_type(transforms.RandomErasing.get_params(x, [0.1], [0.2])[4], Tensor)
    assert_type(transforms.RandomPerspective.get_params(1, 2, 0.5), tuple[list[list[int]], list[list[int]]])
    assert_type(transforms.RandomResizedCrop.get_params(x, [0.1], [0.2]), tuple[int, int, int, int])
    assert_type(transforms.RandomRotation.get_params([0.1]), float)
    assert_type(list(transforms.InterpolationMode), list[transforms.InterpolationMode])


def image_functions(x: Tensor, picture: Image) -> None:
    assert_type(F.adjust_brightness(x, 1.0), Tensor)
    assert_type(F.adjust_brightness(picture, 1.0), Image)
    assert_type(F.adjust_contrast(picture, 1.0), Image)
    assert_type(F.adjust_gamma(picture, 1.0), Image)
    assert_type(F.adjust_hue(picture, 0.1), Image)
    assert_type(F.adjust_saturation(picture, 1.0), Image)
    assert_type(F.affine(picture, 1.0, [0, 0], 1.0, 0), Image)
    assert_type(F.center_crop(picture, 3), Image)
    assert_type(F.convert_image_dtype(x), Tensor)
    assert_type(F.crop(picture, 1, 1, 1, 1), Image)
    assert_type(F.erase(x, 1, 1, 1, 1, x), Tensor)
    assert_type(F.five_crop(picture, 3), tuple[Image, Image, Image, Image, Image])
    assert_type(F.gaussian_blur(picture, 3), Image)
    assert_type(F.get_dimensions(picture), list[int])
    assert_type(F.get_image_num_channels(x), int)
    assert_type(F.get_image_size(picture), list[int])
    assert_type(F.hflip(picture), Image)
    assert_type(F.invert(picture), Image)
    assert_type(F.normalize(x, 0.1, 0.2), Tensor)
    assert_type(F.pad(picture, 1), Image)
    assert_type(F.perspective(picture, [], []), Image)
    assert_type(F.pil_to_tensor(picture), Tensor)
    assert_type(F.resize(picture, 3), Image)
    assert_type(F.resize(x, 3), Tensor)
    assert_type(F.resized_crop(picture, 1, 1, 1, 1, 3), Image)
    assert_type(F.rgb_to_grayscale(picture), Image)
    assert_type(F.rotate(picture, 1.0), Image)
    assert_type(F.solarize(picture, 1.0), Image)
    assert_type(F.ten_crop(x, 3)[9], Tensor)
    assert_type(F.to_grayscale(picture), Image)
    assert_type(F.to_pil_image(x), Image)
    assert_type(F.to_tensor(picture), Tensor)
    assert_type(F.vflip(x), Tensor)
    assert_type(utils.make_grid(x), Tensor)
    assert_type(utils.save_image([x], "x.png"), None)


def square(x: Tensor) -> Tensor:
    return (x * x).sum()


def dot(x: Tensor, y: Tensor, *, scale: float = 1.0) -> Tensor:
    return (x * y).sum() * scale


def pair(x: Tensor) -> tuple[Tensor, Tensor]:
    return x, x


def loss(params: dict[str, Tensor], x: Tensor) -> Tensor:
    return params["weight"] @ x


def counted(x: Tensor) -> tuple[Tensor, int]:
    return x.sum(), 1


def transforms_of_functions(x: Tensor, params: dict[str, Tensor], net: nn.Linear) -> None:
    assert_type(func.grad(square)(x), Tensor)
    assert_type(func.grad(dot)(x, x, scale=2.0), Tensor)
    assert_type(func.grad(dot, (0, 1))(x, x), tuple[Tensor, ...])
    assert_type(func.grad(loss)(params, x), dict[str, Tensor])
    assert_type(func.grad(counted, has_aux=True)(x), tuple[Tensor, int])
    assert_type(func.grad(func.grad(square))(x), Tensor)
    assert_type(func.grad_and_value(square)(x), tuple[Tensor, Tensor])
    assert_type(func.grad_and_value(loss)(params, x), tuple[dict[str, Tensor], Tensor])
    assert_type(func.grad_and_value(counted, has_aux=True)(x), tuple[Tensor, tuple[Tensor, int]])
    assert_type(func.jacrev(square)(x), Tensor)
    assert_type(func.jacrev(pair)(x), tuple[Tensor, Tensor])
    assert_type(func.jacrev(loss)(params, x), dict[str, Tensor])
    assert_type(func.jacrev(dot, (0, 1))(x, x), tuple[Tensor, ...])
    assert_type(func.jacrev(counted, has_aux=True)(x), tuple[Tensor, int])
    assert_type(func.jacfwd(square)(x), Tensor)
    assert_type(func.jacfwd(pair)(x), tuple[Tensor, Tensor])
    assert_type(func.hessian(square)(x), Tensor)
    assert_type(func.hessian(dot, (0, 1))(x, x), tuple[tuple[Tensor, ...], ...])
    assert_type(func.vjp(square, x), tuple[Tensor, Pullback[Tensor, Tensor]])
    assert_type(func.vjp(loss, params, x)[1](x), tuple[dict[str, Tensor], Tensor])
    assert_type(func.vjp(counted, x, has_aux=True)[2], int)
    assert_type(func.jvp(pair, (x,), (x,)), tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]])
    assert_type(func.jvp(counted, (x,), (x,), has_aux=True), tuple[Tensor, Tensor, int])
    assert_type(func.vmap(dot, in_dims=(0, None))(x, x), Tensor)
    assert_type(func.vmap(func.grad(loss), in_dims=(None, 0))(params, x), dict[str, Tensor])
    assert_type(func.functional_call(net, params, x), Tensor)
    assert_type(func.stack_module_state([net]), tuple[dict[str, Tensor], dict[str, Tensor]])
    of = autograd.functional
    assert_type(of.vjp(square, x), tuple[Tensor, Tensor])
    assert_type(of.vjp(dot, (x, x)), tuple[Tensor, tuple[Tensor, Tensor]])
    assert_type(of.jvp(pair, x), tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]])
    assert_type(of.vhp(square, x), tuple[Tensor, Tensor])
    assert_type(of.hvp(square, x), tuple[Tensor, Tensor])
    assert_type(of.jacobian(square, x), Tensor)
    assert_type(of.jacobian(pair, x), tuple[Tensor, ...])
    assert_type(of.jacobian(dot, (x, x)), tuple[Tensor, Tensor])
    assert_type(of.hessian(square, x), Tensor)
    assert_type(of.hessian(dot, (x, x)), tuple[tuple[Tensor, ...], ...])


def probabilities(x: Tensor) -> None:
    normal = distributions.Normal(0.0, 1.0)
    assert_type(normal.sample((3,)), Tensor)
    assert_type(normal.rsample(), Tensor)
    assert_type(normal.log_prob(x), Tensor)
    assert_type(normal.entropy(), Tensor)
    assert_type(normal.cdf(x), Tensor)
    assert_type(normal.perplexity(), Tensor)
    assert_type((normal.mean, normal.variance, normal.stddev), tuple[Tensor, Tensor, Tensor])
    assert_type((normal.loc, normal.scale), tuple[Tensor, Tensor])
    assert_type(normal.batch_shape, Size)
    assert_type(normal.has_rsample, bool)
    uniform = distributions.Uniform(0.0, 1.0)
    assert_type(uniform.rsample(), Tensor)
    assert_type(uniform.log_prob(x), Tensor)
    assert_type((uniform.entropy(), uniform.mean, uniform.variance), tuple[Tensor, Tensor, Tensor])
    coin = distributions.Bernoulli(0.5)
    assert_type((coin.sample(), coin.log_prob(x), coin.entropy()), tuple[Tensor, Tensor, Tensor])
    assert_type((coin.probs, coin.logits, coin.mean, coin.variance), tuple[Tensor, Tensor, Tensor, Tensor])
    policy = distributions.Categorical(logits=x)
    assert_type((policy.sample(), policy.log_prob(x), policy.entropy()), tuple[Tensor, Tensor, Tensor])
    assert_type((policy.probs, policy.logits, policy.mean, policy.variance), tuple[Tensor, Tensor, Tensor, Tensor])
    assert_type(distributions.kl_divergence(policy, policy), Tensor)
    base = distributions.Distribution((3,))
    assert_type((base.sample(), base.rsample(), base.log_prob(x)), tuple[Tensor, Tensor, Tensor])
    assert_type((base.entropy(), base.perplexity(), base.mean), tuple[Tensor, Tensor, Tensor])
    assert_type((base.variance, base.stddev), tuple[Tensor, Tensor])


def drawing() -> None:
    generator = random.Generator().manual_seed(3)
    assert_type(generator, random.Generator)
    assert_type(generator.initial_seed(), int)
    assert_type(generator.seed(), int)
    assert_type(generator.get_state(), NDArray)
    assert_type(generator.set_state(generator.get_state()), random.Generator)
    assert_type(generator.clone_state(), random.Generator)
    assert_type(generator.words(3), NDArray)
    assert_type(generator.long_words(3), NDArray)
    assert_type(generator.uniform((3,), np.float32), NDArray)
    assert_type(generator.normal((3,), np.float32), NDArray)
    assert_type(generator.integers(0, 3, (3,)), NDArray)
    assert_type(generator.any_integers((3,), np.int64), NDArray)
    assert_type(generator.permutation(3), list[int])
    assert_type(generator.bernoulli(0.5, (3,)), NDArray)
    assert_type(generator.exponential((3,), np.float32), NDArray)
    assert_type(random.default_generator.permutation(3), list[int])
    assert_type(random.manual_seed(3), random.Generator)
    assert_type(random.seed(), int)
    assert_type(random.initial_seed(), int)
    assert_type(random.get_rng_state(), NDArray)
    assert_type(random.set_rng_state(random.get_rng_state()), None)
    forked: AbstractContextManager[None] = random.fork_rng()
    with forked as nothing:
        assert_type(nothing, None)


def comparing(x: Tensor) -> None:
    assert_type(testing.assert_close(x, arange(3)), None)
    assert_type(main([]), int)
