"""What fastgd.sklearn has beyond scikit-learn's estimators."""

import pickle
import re

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.7", reason="whose MLPs take sample_weight from there on")

from sklearn import neural_network
from sklearn.utils.class_weight import compute_sample_weight
from small_estimators import small

import fastgd
from fastgd.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def first_params(X, y):
    """The parameters that `small` begins with."""
    return small(max_iter=1, learning_rate_init=1e-300).fit(X, y).run_.params


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 5.0, 2: 0.5}])
def test_class_weight_is_a_weight_of_rows(iris, class_weight):
    X, y = iris[0][:120], iris[1][:120]
    own = np.random.default_rng(0).uniform(0.5, 2, len(y))
    ours = small(class_weight=class_weight).fit(X, y, sample_weight=own)
    weights = own * compute_sample_weight(class_weight, y)
    theirs = small(neural_network.MLPClassifier).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-10)


def test_members_are_averaged(iris, diabetes):
    for kind, (X, y) in ((MLPClassifier, iris), (MLPRegressor, diabetes)):
        alone, three = small(kind).fit(X, y), small(kind, n_members=3).fit(X, y)
        assert three.coefs_[0].tolist() == alone.coefs_[0].tolist()  # the first is the one that would be alone
        assert three.loss_curve_ == alone.loss_curve_
        assert len(three.runs_) == 3
        assert len({run.params.tobytes() for run in three.runs_}) == 3
        outputs = np.mean([run.predict(X) for run in three.runs_], axis=0)
        predicted = three.predict_proba(X) if kind is MLPClassifier else three.predict(X)[:, None]
        np.testing.assert_allclose(predicted, outputs, rtol=1e-12)
        again = pickle.loads(pickle.dumps(three))
        np.testing.assert_array_equal(again.predict(X), three.predict(X))


def test_members_go_on(iris):
    X, y = iris
    whole = small(n_members=2, warm_start=True)
    for _ in range(2):
        whole.fit(X, y)
    whole.partial_fit(X, y)
    alone = small(warm_start=True)
    for _ in range(2):
        alone.fit(X, y)
    alone.partial_fit(X, y)
    np.testing.assert_array_equal(whole.coefs_[0], alone.coefs_[0])
    assert whole.runs_[1].epochs == whole.runs_[0].epochs == 16  # of which the last goes on with what Adam keeps


def test_as_many_members_go_on(iris):
    X, y = iris
    ours = small(n_members=2, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="n_members must be 2 to go on with what was fitted; got 3"):
        ours.set_params(n_members=3).fit(X, y)


@pytest.mark.parametrize("optimizer", ["rmsprop", fastgd.AdamW(weight_decay=0.1), fastgd.SGD(momentum=0.8), "adagrad", "rprop"], ids=str)
@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_optimizers_of_fastgd(iris, optimizer, alpha):
    """As fastgd.train has them, with alpha by rows."""
    X, y = iris
    ours = small(optimizer=optimizer, alpha=alpha, learning_rate_init=0.01).fit(X, y)
    net, params = ours.run_.net, first_params(X, y)
    run = fastgd.train(net, X, np.eye(3)[y], 15, 0.01, params=params, optimizer=optimizer, l2=alpha / len(X), kernel="matrix")
    np.testing.assert_allclose(ours.run_.params, run.params, rtol=1e-9)


def test_l1_is_that_of_fastgd(iris):
    X, y = iris
    ours = small(optimizer="adam", l1=[0.01, 0.1], alpha=0.0).fit(X, y)
    run = fastgd.train(
        ours.run_.net, X, np.eye(3)[y], 15, 0.001, params=first_params(X, y), l1=[0.01, 0.1], optimizer="adam", kernel="matrix"
    )
    np.testing.assert_array_equal(ours.run_.params, run.params)


def test_dropout(iris):
    X, y = iris
    fits = [small(dropout=0.5).fit(X, y) for _ in range(2)]
    np.testing.assert_array_equal(fits[0].coefs_[0], fits[1].coefs_[0])  # by the random state
    assert abs(fits[0].coefs_[0] - small().fit(X, y).coefs_[0]).max() > 1e-4
    # losses are of all activations
    before = small(dropout=0.5, max_iter=14, alpha=0.0).fit(X, y)
    after = small(dropout=0.5, max_iter=15, alpha=0.0).fit(X, y)
    assert after.loss_ == pytest.approx(before.run_.net.cost(before.run_.params, X, np.eye(3)[y]))
    members = small(dropout=0.5, n_members=2).fit(X, y)
    np.testing.assert_array_equal(members.coefs_[0], fits[0].coefs_[0])


def test_schedule(iris):
    X, y = iris
    schedule = fastgd.schedules.Step(0.02, every=5, factor=0.5)
    ours = small(schedule=schedule, solver="sgd", momentum=0.0, alpha=0.0).fit(X, y)
    net, params = ours.run_.net, first_params(X, y)
    run = fastgd.train(net, X, np.eye(3)[y], 15, schedule, params=params, kernel="matrix")
    np.testing.assert_allclose(ours.run_.params, run.params, rtol=1e-10)


OF_RATES = {  # a schedule, and its numbers beside its rates
    "rates": lambda r: fastgd.schedules.Rates([r, 2 * r, 0.5 * r], every=7),
    "piecewise": lambda r: fastgd.schedules.Piecewise(r, [5, 20], [2 * r, 0.5 * r]),
    "cosine": lambda r: fastgd.schedules.Cosine(r, steps=30, least=0.1 * r),
    "plateau": lambda r: fastgd.schedules.Plateau(r, factor=0.5, patience=0, threshold=0.3, cooldown=1, least=0.05 * r),
}


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("schedule", OF_RATES.values(), ids=OF_RATES)
def test_rates_of_schedules_are_those_of_the_estimator(iris, diabetes, schedule, members):
    """Half of them for fastgd's squared errors, which are twice scikit-learn's."""
    options = {"solver": "sgd", "momentum": 0.0, "alpha": 0.0, "batch_size": 50, "shuffle": False}
    for kind, (X, y), factor in [(MLPClassifier, iris, 1.0), (MLPRegressor, diabetes, 0.5)]:
        begun = small(kind, max_iter=1, learning_rate_init=1e-300).fit(X, y).run_
        ours = small(kind, schedule=schedule(0.1), n_members=members, **options).fit(X, y)
        Y = np.eye(3)[y] if kind is MLPClassifier else y
        run = fastgd.train(begun.net, X, Y, 15, schedule(factor * 0.1), params=begun.params, batch_size=50, shuffle=False, kernel="matrix")
        np.testing.assert_allclose(ours.run_.params, run.params, rtol=1e-9)
        assert abs(run.params - begun.params).max() > 0.01


def test_a_plateau_goes_on(iris):
    X, y = iris
    options = {"solver": "sgd", "schedule": OF_RATES["plateau"](0.3), "shuffle": False, "batch_size": 50}
    whole, parts = small(max_iter=6, **options).fit(X, y), small(**options)
    for _ in range(6):
        parts.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_array_equal(parts.coefs_[0], whole.coefs_[0])


@pytest.mark.parametrize("optimizer", [fastgd.Adadelta(eps=1e-3), fastgd.RAdam(), fastgd.NAdam(), fastgd.Adagrad(eps=0.1)], ids=str)
def test_many_updates_of_half_the_squared_error(diabetes, optimizer):
    """As fastgd trains by a loss that is the half, with a penalty."""
    X, y = diabetes
    ours = small(MLPRegressor, activation="tanh", optimizer=optimizer, alpha=2.0, learning_rate_init=0.1, batch_size=len(X)).fit(X, y)
    first = small(MLPRegressor, activation="tanh", max_iter=1, learning_rate_init=1e-300).fit(X, y)
    half = fastgd.Loss(lambda a, y: 0.5 * (a - y) ** 2, name="half")
    net = fastgd.MLP(X.shape[1], 6, 1, activation="tanh", output="identity", loss=half)
    run = fastgd.train(net, X, y, 15, 0.1, params=first.run_.params, optimizer=optimizer, l2=2.0 / len(X), kernel="matrix")
    np.testing.assert_allclose(ours.run_.params, run.params, rtol=1e-9)


def test_squared_errors_are_halved_by_every_optimizer(diabetes):
    """The first update of each by hand, of half the squared error and its penalty."""
    X, y = diabetes
    first = small(MLPRegressor, hidden_layer_sizes=(), max_iter=1, learning_rate_init=1e-300).fit(X, y)
    w, b = first.coefs_[0][:, 0], first.intercepts_[0]
    error = X @ w + b - y
    g = np.append(X.T @ error / len(X) + 2.0 / len(X) * w, error.mean())
    eps, rate = 0.3, 0.01
    updates = {
        fastgd.SGD(): g,
        fastgd.SGD(weight_decay=0.5): g + 0.5 * np.append(w, b),
        fastgd.Adagrad(eps=eps): g / (abs(g) + eps),
        fastgd.RMSprop(rho=0.9, eps=eps): g / (np.sqrt(0.1) * abs(g) + eps),
        fastgd.Adam(eps=eps): g / (abs(g) + eps),
        fastgd.Rprop(): np.sign(g),
        fastgd.Lion(): np.sign(g),
        fastgd.Adadelta(rho=0.9, eps=eps): g * np.sqrt(eps) / np.sqrt(0.1 * g * g + eps),
        fastgd.AdamW(eps=eps, weight_decay=0.5): g / (abs(g) + eps) + 0.5 * np.append(w, b),
        fastgd.RAdam(eps=eps): g,
    }
    for optimizer, update in updates.items():
        ours = small(
            MLPRegressor, hidden_layer_sizes=(), max_iter=1, optimizer=optimizer, alpha=2.0, learning_rate_init=rate, batch_size=len(X)
        ).fit(X, y)
        after = np.append(ours.coefs_[0], ours.intercepts_)
        np.testing.assert_allclose(after, np.append(w, b) - rate * update, rtol=1e-10, err_msg=str(optimizer))


def test_activations_one_a_layer(iris):
    X, y = iris
    ours = small(hidden_layer_sizes=(5, 4), activation=["tanh", "relu"]).fit(X, y)
    assert ours.run_.net.activations == ("tanh", "relu", "softmax")
    hidden = np.maximum(np.tanh(X @ ours.coefs_[0] + ours.intercepts_[0]) @ ours.coefs_[1] + ours.intercepts_[1], 0)
    z = np.exp(hidden @ ours.coefs_[2] + ours.intercepts_[2])
    np.testing.assert_allclose(ours.predict_proba(X), z / z.sum(axis=1, keepdims=True), rtol=1e-10)
    assert small(activation="sin").fit(X, y).run_.net.activations == ("sin", "softmax")


def test_losses_of_fastgd(iris):
    X, y = iris
    ours = small(loss="squared_error", alpha=0.0, max_iter=40).fit(X, y)
    assert ours.out_activation_ == "softmax"
    before = small(loss="squared_error", alpha=0.0, max_iter=39).fit(X, y)
    error = before.predict_proba(X) - np.eye(3)[y]
    assert ours.loss_ == pytest.approx((error**2).mean() / 2)


def test_run_is_one_of_fastgd(iris, tmp_path):
    X, y = iris
    path = tmp_path / "fit.npz"
    ours = small(alpha=0.0, checkpoint=path).fit(X, y)
    np.testing.assert_allclose(ours.run_.predict(X), ours.predict_proba(X))
    np.testing.assert_allclose(ours.run_.history.cost[:-1], ours.loss_curve_)  # full batch without a penalty
    assert ours.run_.cost == pytest.approx(ours.run_.net.cost(ours.run_.params, X, np.eye(3)[y]))
    assert fastgd.load_run(path) == ours.run_
    further = fastgd.train(ours.run_.net, X, np.eye(3)[y], 5, 0.001, params=ours.run_, optimizer="adam")
    assert further.epochs == 20
    assert further.cost < ours.run_.cost


def test_threads_do_not_matter():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 30))
    y = X @ rng.normal(size=30)
    fits = [small(MLPRegressor, hidden_layer_sizes=(150,), batch_size=300, threads=n, max_iter=3).fit(X, y) for n in (1, 2, None)]
    assert len({fit.run_.params.tobytes() for fit in fits}) == 1


def test_loss_that_diverges_is_refused(diabetes):
    X, y = diabetes
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        small(MLPRegressor, solver="sgd", learning_rate_init=1e10, max_iter=100).fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"alpha": -1}, ValueError, "alpha must be a finite number of at least 0; got -1"),
        ({"solver": "newton"}, ValueError, "unknown solver 'newton'; known: lbfgs, sgd, adam"),
        ({"hidden_layer_sizes": (3, 0)}, ValueError, "hidden_layer_sizes must be > 0, got [3, 0]."),
        ({"hidden_layer_sizes": "large"}, TypeError, "hidden_layer_sizes must be a whole number or a sequence of these; got 'large'"),
        ({"activation": "swoosh"}, ValueError, "unknown activation 'swoosh'"),
        ({"activation": ["tanh", "tanh"]}, ValueError, "activation must be one, or one for each of 1 hidden layers; got 2"),
        ({"momentum": 1.5}, ValueError, "momentum must be a finite number"),
        ({"max_iter": 0}, ValueError, "max_iter must be a whole number of at least 1; got 0"),
        ({"shuffle": "yes"}, TypeError, "shuffle must be True or False; got 'yes'"),
        ({"batch_size": "all"}, ValueError, "unknown batch_size 'all'; known: auto"),
        ({"n_iter_no_change": 0.5}, ValueError, "n_iter_no_change must be a whole number"),
        ({"optimizer": "best"}, ValueError, "unknown optimizer 'best'"),
        ({"schedule": 0.1}, TypeError, "schedule must be one of fastgd.schedules, or None; got 0.1"),
        ({"dtype": "float16"}, ValueError, "unknown dtype 'float16'; known: auto, float32, float64"),
        ({"dtype": 7}, TypeError, "dtype must be one of auto, float32, float64; got 7"),
        ({"dropout": [0.5, 0.5]}, ValueError, "dropout must be a number, or one for each of 1 hidden layers; got 2"),
        ({"dropout": 0.5, "hidden_layer_sizes": ()}, ValueError, "dropout is for hidden layers, which MLP("),
        ({"l1": [0.1, 0.1, 0.1]}, ValueError, "l1 must be a number, or one for each of 2 layers; got 3"),
        ({"optimizer": "rprop", "batch_size": 10}, ValueError, "optimizer Rprop compares gradients of all rows: batch_size must be None"),
        ({"threads": 0}, ValueError, "threads must be a whole number of at least 1; got 0"),
        ({"checkpoint": 3}, TypeError, "checkpoint must be a path or None; got 3"),
        ({"loss": "poisson_"}, ValueError, "unknown loss 'poisson_'"),
        ({"dropout": (0.1, 0.2)}, ValueError, "dropout must be a number, or one for each of 1 hidden layers; got 2"),
        ({"dropout": 0.1, "hidden_layer_sizes": ()}, ValueError, "dropout is for hidden layers"),
        ({"l1": (0.1,)}, ValueError, "l1 must be a number, or one for each of 2 layers; got 1"),
        ({"optimizer": "rprop", "batch_size": 50}, ValueError, "Rprop compares gradients of all rows: batch_size must be None; got 50"),
        ({"solver": "lbfgs", "optimizer": "adam"}, ValueError, "optimizer is of solvers sgd and adam"),
        (
            {"schedule": fastgd.schedules.Constant(0.1), "learning_rate": "adaptive"},
            ValueError,
            "learning_rate must be 'constant' where there is a schedule; got 'adaptive'",
        ),
    ],
    ids=str,
)
def test_bad_parameters_are_refused_by_name(iris, parameters, error, message):
    with pytest.raises(error, match=re.escape(message)):
        small(**parameters).fit(*iris)


def test_targets_that_a_loss_is_not_defined_for_are_refused(diabetes):
    X, y = diabetes
    with pytest.raises(ValueError, match=re.escape("Y must lie between 0 and 1 for loss 'binary_cross_entropy'")):
        small(MLPRegressor, loss="binary_cross_entropy").fit(X, y - y.mean())
    with pytest.raises(ValueError, match=re.escape("Y must lie at 0 or above for loss 'poisson'")):
        small(MLPRegressor, loss="poisson").fit(X, y - y.mean())


def test_classes_of_zero_to_losses_of_margins(iris):
    X, y = iris
    with pytest.warns(RuntimeWarning, match="Y has values of 0, of which loss 'hinge' learns nothing") as caught:
        small(MLPRegressor, loss="hinge").fit(X, 1.0 * (y == 0))
    assert caught[0].filename == __file__
    small(MLPRegressor, loss="hinge").fit(X, 2.0 * (y == 0) - 1)
