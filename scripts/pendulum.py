"""A network that holds a pendulum upright: simulation, derivatives and descent are one's own compiled code, with the network inside it.

The adjoint method goes back through the simulation; `net.jitted` has the derivative of the torque by the state and by the parameters.
"""

from argparse import ArgumentParser

import numpy as np
from numba import njit

import fastgd

net = fastgd.MLP(3, 8, 1, activation="tanh")  # of (sin theta, cos theta, omega / 8); the torque is 12 times its output
jitted = net.jitted
STEP, GRAVITY, TORQUE, STEPS = 0.05, 9.81, 12.0, 100  # seconds, 1/s^2, 1/s^2, steps of a simulation


@njit
def see(theta, omega, x):
    """What the network sees; theta is 0 upright."""
    x[0], x[1], x[2] = np.sin(theta), np.cos(theta), omega / 8


@njit
def simulate(params, theta, thetas, omegas, outputs):
    """From rest at theta; states and outputs of the network at each step. Returns the mean cost."""
    x, out, omega, cost = np.empty(3), np.empty(1), 0.0, 0.0
    for t in range(STEPS):
        see(theta, omega, x)
        jitted.predict(params, x, out)
        thetas[t], omegas[t], outputs[t] = theta, omega, out[0]
        cost += 1 - np.cos(theta) + 0.01 * omega**2 + 0.01 * out[0] ** 2
        omega += STEP * (GRAVITY * np.sin(theta) + TORQUE * out[0])
        theta += STEP * omega
    return cost / STEPS


@njit
def add_gradient(params, thetas, omegas, outputs, gradient):
    """Add the derivative of a simulation's mean cost, backwards through its steps."""
    x, by_input, by_params, target = np.empty(3), np.empty((1, 3)), np.empty_like(params), np.empty(1)
    by_theta, by_omega = 0.0, 0.0  # of the costs to come
    for t in range(STEPS - 1, -1, -1):
        theta, omega, output = thetas[t], omegas[t], outputs[t]
        see(theta, omega, x)
        jitted.input_gradient(params, x, by_input)
        target[0] = output - 0.5  # by which the derivative of the squared error is that of the output
        jitted.cost_and_gradient(params, x, target, by_params)
        after = by_omega + STEP * by_theta
        by_output = after * STEP * TORQUE + 0.02 * output
        by_theta += after * STEP * GRAVITY * np.cos(theta) + np.sin(theta)
        by_theta += by_output * (by_input[0, 0] * np.cos(theta) - by_input[0, 1] * np.sin(theta))
        by_omega = after + 0.02 * omega + by_output * by_input[0, 2] / 8
        gradient += by_output / STEPS * by_params


@njit
def descend(params, starts, rate, epochs):
    """Gradient descent with momentum over simulations from all starts; returns the last mean cost."""
    thetas, omegas, outputs = np.empty(STEPS), np.empty(STEPS), np.empty(STEPS)
    velocity, cost = np.zeros_like(params), 0.0
    for _ in range(epochs):
        gradient, cost = np.zeros_like(params), 0.0
        for theta in starts:
            cost += simulate(params, theta, thetas, omegas, outputs) / len(starts)
            add_gradient(params, thetas, omegas, outputs, gradient)
        norm = np.sqrt(np.sum(gradient**2)) / len(starts)
        velocity = 0.9 * velocity - rate * gradient / len(starts) / max(1.0, norm)
        params += velocity
    return cost


def main():
    starts = np.linspace(-0.9, 0.9, 7)
    params, states = net.init(rng=0), np.empty((3, STEPS))
    print("epochs  mean cost")
    for epochs in range(200, 1001, 200):
        print(f"{epochs:>6}  {descend(params, starts, 0.05, 200):.4f}")
    print("\nstart   angle after 1, 2 and 5 seconds")
    for theta in (-0.8, -0.2, 0.5):
        simulate(params, theta, *states)
        print(f"{theta:>5}  " + "".join(f"{angle:8.4f}" for angle in states[0][[20, 40, 99]]))


if __name__ == "__main__":
    ArgumentParser(description=__doc__).parse_args()
    main()
