"""The networks beyond plain chains of layers, each a program of a library with PyTorch's names: ours or PyTorch itself.

A function here builds a network, its batch and its loss from a library. `benchmarks.beside` runs them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray


class Program(NamedTuple):
    """A network, a batch, and what training computes."""

    model: Any
    inputs: tuple[NDArray, ...]
    loss: Callable[..., Any]
    """Of the inputs as tensors of the library."""
    infer: Callable[..., Any]
    optimiser: Callable[[Any], Any]
    """Made for the parameters."""
    step: Callable[..., None] | None = None
    """Of the optimiser and the inputs; where it is None, a step is the loss, its gradients and the optimiser's."""


def drawn(*shape: int) -> NDArray:
    """Normal numbers, the same at each call."""
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def classes(count: int, *shape: int) -> NDArray:
    """Random labels."""
    return np.random.default_rng(1).integers(0, count, shape)


def classifier(lib: Any, model: Any, inputs: NDArray, kinds: int = 10, optimiser: str = "SGD") -> Program:
    """A network that tells classes apart, trained by cross-entropy."""
    labels = classes(kinds, len(inputs))
    return Program(
        model,
        (inputs, labels),
        lambda x, t: lib.nn.functional.cross_entropy(model(x), t),
        lambda x, t: model(x),
        rule(lib, optimiser),
    )


def rule(lib: Any, name: str, **settings: Any) -> Callable[[Any], Any]:
    """An optimiser of the library with a usual rate."""
    rate = 0.01 if name == "SGD" else 1e-3
    return lambda parameters: getattr(lib.optim, name)(parameters, lr=rate, **settings)


def mlp(lib: Any, batch: int) -> Program:
    """784-256-256-10 with relu."""
    nn = lib.nn
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    return classifier(lib, model, drawn(batch, 784))


def small_mlp(lib: Any, batch: int) -> Program:
    """2-16-16-1 with relu, by squared errors."""
    nn = lib.nn
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
    return Program(
        model,
        (drawn(batch, 2), drawn(batch, 1)),
        lambda x, t: nn.functional.mse_loss(model(x), t),
        lambda x, t: model(x),
        rule(lib, "SGD"),
    )


def resnet(lib: Any, batch: int) -> Program:
    """ResNet-14 for images of 32×32 (He et al. 2015, section 4.2): 16, 32 and 64 channels, two blocks each."""
    nn = lib.nn

    class Block(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(outputs)
            self.relu = nn.ReLU()
            self.short = nn.Identity()
            if stride > 1:
                self.short = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

        def forward(self, x: Any) -> Any:
            y = self.relu(self.norm1(self.conv1(x)))
            return self.relu(self.norm2(self.conv2(y)) + self.short(x))

    blocks = [
        Block(16, 16, 1),
        Block(16, 16, 1),
        Block(16, 32, 2),
        Block(32, 32, 1),
        Block(32, 64, 2),
        Block(64, 64, 1),
    ]
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    model = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    return classifier(lib, model, drawn(batch, 3, 32, 32))


def mobilenet(lib: Any, batch: int) -> Program:
    """Depthwise separable convolutions (Howard et al. 2017) for images of 32×32."""
    nn = lib.nn

    def separable(inputs: int, outputs: int, stride: int) -> list[Any]:
        return [
            nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
            *(nn.BatchNorm2d(inputs), nn.ReLU6()),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            *(nn.BatchNorm2d(outputs), nn.ReLU6()),
        ]

    model = nn.Sequential(
        *(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6()),
        *(*separable(32, 64, 1), *separable(64, 128, 2), *separable(128, 128, 1), *separable(128, 256, 2)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10)),
    )
    return classifier(lib, model, drawn(batch, 3, 32, 32))


def shufflenet(lib: Any, batch: int) -> Program:
    """ShuffleNet's second version (Ma et al. 2018) for images of 32×32: 24 channels, then 48 and 96."""
    nn = lib.nn

    def pointwise(inputs: int, outputs: int) -> list[Any]:
        return [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

    def depthwise(channels: int, stride: int) -> list[Any]:
        return [nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False), nn.BatchNorm2d(channels)]

    class Unit(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.half = outputs // 2
            self.divides = stride == 1
            seen = inputs // 2 if self.divides else inputs
            if not self.divides:
                self.short = nn.Sequential(*depthwise(inputs, stride), *pointwise(inputs, self.half))
            self.long = nn.Sequential(
                *pointwise(seen, self.half), *depthwise(self.half, stride), *pointwise(self.half, self.half)
            )
            self.shuffle = nn.ChannelShuffle(2)

        def forward(self, x: Any) -> Any:
            if self.divides:
                first, second = x.chunk(2, dim=1)
                return self.shuffle(lib.cat((first, self.long(second)), dim=1))
            return self.shuffle(lib.cat((self.short(x), self.long(x)), dim=1))

    units = [Unit(24, 48, 2), Unit(48, 48, 1), Unit(48, 96, 2), Unit(96, 96, 1)]
    stem = [nn.Conv2d(3, 24, 3, 1, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU()]
    last = [*pointwise(96, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10)]
    return classifier(lib, nn.Sequential(*stem, *units, *last), drawn(batch, 3, 32, 32))


def recurrent(kind: str, sizes: tuple[int, int, int, int]) -> Callable[[Any, int], Program]:
    """A recurrent network that tells sequences apart by its last output; sizes: steps, inputs, hidden, layers."""
    steps, inputs, hidden, layers = sizes

    def build(lib: Any, batch: int) -> Program:
        nn = lib.nn

        class Reader(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.walk = getattr(nn, kind)(inputs, hidden, layers, batch_first=True)
                self.last = nn.Linear(hidden, 10)

            def forward(self, x: Any) -> Any:
                return self.last(self.walk(x)[0][:, -1])

        return classifier(lib, Reader(), drawn(batch, steps, inputs))

    return build


def gpt(lib: Any, batch: int) -> Program:
    """A small GPT (Radford et al. 2019) of characters: 64 of them, 128 features, 4 heads, 4 layers."""
    nn, F = lib.nn, lib.nn.functional
    time, width, heads, kinds = 64, 128, 4, 65

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            self.gelu = nn.GELU()

        def forward(self, x: Any) -> Any:
            n, t, _ = x.shape
            parts = self.qkv(self.norm1(x)).split(width, dim=2)
            q, k, v = (part.view(n, t, heads, width // heads).transpose(1, 2) for part in parts)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(n, t, width))
            return x + self.narrow(self.gelu(self.wide(self.norm2(x))))

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = nn.Embedding(kinds, width), nn.Embedding(time, width)
            self.blocks = nn.Sequential(*(Block() for _ in range(4)))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, kinds, bias=False)

        def forward(self, tokens: Any) -> Any:
            x = self.tokens(tokens) + self.places(lib.arange(tokens.shape[1]))
            return self.head(self.norm(self.blocks(x)))

    model = GPT()
    text = classes(kinds, batch, time + 1)
    return Program(
        model,
        (text[:, :-1].copy(), text[:, 1:].copy()),
        lambda x, t: F.cross_entropy(model(x).view(-1, kinds), t.view(-1)),
        lambda x, t: model(x),
        rule(lib, "AdamW"),
    )


def vit(lib: Any, batch: int) -> Program:
    """A small vision transformer (Dosovitskiy et al. 2021): images of 32×32, patches of 4×4, 96 features, 4 layers."""
    nn = lib.nn
    width, patches = 96, 64

    class ViT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patch = nn.Conv2d(3, width, 4, 4)
            self.kind = nn.Parameter(lib.zeros(1, 1, width))
            self.places = nn.Parameter(lib.zeros(1, 1 + patches, width))
            layer = nn.TransformerEncoderLayer(
                width, 4, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            self.encoder = nn.TransformerEncoder(layer, 4, norm=nn.LayerNorm(width), enable_nested_tensor=False)
            self.head = nn.Linear(width, 10)

        def forward(self, x: Any) -> Any:
            x = self.patch(x).flatten(2).transpose(1, 2)
            x = lib.cat((self.kind.expand(len(x), -1, -1), x), dim=1) + self.places
            return self.head(self.encoder(x)[:, 0])

    return classifier(lib, ViT(), drawn(batch, 3, 32, 32), optimiser="AdamW")


def dcgan(lib: Any, batch: int) -> Program:
    """DCGAN (Radford et al. 2016) for images of 32×32; a step trains the discriminator, then the generator."""
    nn, F = lib.nn, lib.nn.functional

    def up(i: int, o: int, *how: int) -> list[Any]:
        return [nn.ConvTranspose2d(i, o, *how, bias=False), nn.BatchNorm2d(o), nn.ReLU()]

    def down(i: int, o: int) -> list[Any]:
        return [nn.Conv2d(i, o, 4, 2, 1, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(0.2)]

    end = [nn.ConvTranspose2d(32, 3, 4, 2, 1, bias=False), nn.Tanh()]
    generator = nn.Sequential(*up(64, 128, 4, 1, 0), *up(128, 64, 4, 2, 1), *up(64, 32, 4, 2, 1), *end)
    start = [nn.Conv2d(3, 32, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    discriminator = nn.Sequential(*start, *down(32, 64), *down(64, 128), nn.Conv2d(128, 1, 4, bias=False))
    model = nn.ModuleList([generator, discriminator])

    def judged(images: Any, real: bool) -> Any:
        logits = discriminator(images).view(-1)
        wanted = lib.ones_like(logits) if real else lib.zeros_like(logits)
        return F.binary_cross_entropy_with_logits(logits, wanted)

    def optimisers(parameters: Any) -> list[Any]:
        return [lib.optim.Adam(part.parameters(), lr=2e-4, betas=(0.5, 0.999)) for part in model]

    def step(both: list[Any], images: Any, noise: Any) -> None:
        of_generator, of_discriminator = both
        fake = generator(noise)
        of_discriminator.zero_grad()
        (judged(images, True) + judged(fake.detach(), False)).backward()
        of_discriminator.step()
        of_generator.zero_grad()
        judged(fake, True).backward()
        of_generator.step()

    return Program(
        model,
        (drawn(batch, 3, 32, 32), np.random.default_rng(2).standard_normal((batch, 64, 1, 1)).astype(np.float32)),
        lambda images, noise: judged(images, True) + judged(generator(noise), True),
        lambda images, noise: generator(noise),
        optimisers,
        step,
    )


def unet(lib: Any, batch: int) -> Program:
    """A U-Net (Ronneberger et al. 2015) of two halvings for images of 64×64: 16, 32 and 64 channels."""
    nn = lib.nn

    def twice(inputs: int, outputs: int) -> Any:
        first, second = nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, outputs, 3, padding=1)
        return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down1, self.down2, self.deep = twice(1, 16), twice(16, 32), twice(32, 64)
            self.pool = nn.MaxPool2d(2)
            self.up2, self.join2 = nn.ConvTranspose2d(64, 32, 2, 2), twice(64, 32)
            self.up1, self.join1 = nn.ConvTranspose2d(32, 16, 2, 2), twice(32, 16)
            self.last = nn.Conv2d(16, 1, 1)

        def forward(self, x: Any) -> Any:
            first = self.down1(x)
            second = self.down2(self.pool(first))
            y = self.up2(self.deep(self.pool(second)))
            y = self.up1(self.join2(lib.cat((second, y), dim=1)))
            return self.last(self.join1(lib.cat((first, y), dim=1)))

    model = UNet()
    return Program(
        model,
        (drawn(batch, 1, 64, 64), (drawn(batch, 1, 64, 64) > 0.5).astype(np.float32)),
        lambda x, t: nn.functional.binary_cross_entropy_with_logits(model(x), t),
        lambda x, t: model(x),
        rule(lib, "Adam"),
    )


def autoencoder(lib: Any, batch: int) -> Program:
    """Images of 28×28 to 32 numbers and back, by convolutions and enlargements."""
    nn = lib.nn
    model = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(32 * 49, 32), nn.Linear(32, 32 * 49), nn.ReLU(), nn.Unflatten(1, (32, 7, 7))),
        *(nn.Upsample(scale_factor=2), nn.Conv2d(32, 16, 3, padding=1), nn.ReLU()),
        *(nn.Upsample(scale_factor=2), nn.Conv2d(16, 1, 3, padding=1), nn.Sigmoid()),
    )
    images = np.random.default_rng(0).random((batch, 1, 28, 28), np.float32)
    return Program(
        model, (images,), lambda x: nn.functional.mse_loss(model(x), x), lambda x: model(x), rule(lib, "Adam")
    )


def dqn(lib: Any, batch: int) -> Program:
    """A step of deep Q-learning as in PyTorch's tutorial: two networks 4-128-128-2, clipped gradients, AdamW."""
    nn = lib.nn

    def network() -> Any:
        return nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))

    policy, target = network(), network()
    model = nn.ModuleList([policy, target])
    for parameter in target.parameters():
        parameter.requires_grad_(False)

    def loss(states: Any, actions: Any, following: Any, rewards: Any) -> Any:
        values = policy(states).gather(1, actions)
        with lib.no_grad():
            expected = 0.99 * target(following).max(1).values + rewards
        return nn.functional.smooth_l1_loss(values, expected.unsqueeze(1))

    def step(optimiser: Any, *inputs: Any) -> None:
        optimiser.zero_grad()
        loss(*inputs).backward()
        nn.utils.clip_grad_value_(policy.parameters(), 100)
        optimiser.step()
        with lib.no_grad():
            for mine, followed in zip(target.parameters(), policy.parameters(), strict=True):
                mine.mul_(0.995).add_(followed, alpha=0.005)

    return Program(
        model,
        (drawn(batch, 4), classes(2, batch, 1), 0.5 * drawn(batch, 4), drawn(batch)),
        loss,
        lambda states, actions, following, rewards: policy(states),
        lambda parameters: lib.optim.AdamW(policy.parameters(), lr=1e-4, amsgrad=True),
        step,
    )


PROGRAMS: dict[str, tuple[Callable[[Any, int], Program], tuple[int, ...]]] = {
    "small MLP": (small_mlp, (1, 32)),
    "MLP": (mlp, (1, 64)),
    "ResNet": (resnet, (1, 16, 64)),
    "MobileNet": (mobilenet, (1, 32)),
    "ShuffleNet": (shufflenet, (1, 32)),
    "RNN": (recurrent("RNN", (28, 28, 64, 1)), (64,)),
    "LSTM": (recurrent("LSTM", (28, 28, 128, 1)), (1, 64)),
    "LSTM of two layers": (recurrent("LSTM", (100, 16, 64, 2)), (1, 8)),
    "GRU": (recurrent("GRU", (28, 28, 128, 1)), (64,)),
    "GPT": (gpt, (1, 16)),
    "ViT": (vit, (1, 32)),
    "DCGAN": (dcgan, (32,)),
    "U-Net": (unet, (1, 16)),
    "autoencoder": (autoencoder, (1, 64)),
    "DQN": (dqn, (128,)),
}
"""The programs by the names of the suite, and the sizes of batch that are measured."""
