"""Trains a network that reads a thermistor, and writes it as thermometer.h, of floats, for main.c beside this."""

import csv

import numpy as np

import fastgd

degrees = np.linspace(-25, 95, 400)
resistance = np.exp(3950 * (1 / (degrees + 273.15) - 1 / 298.15))
readings = np.floor(1023 / (1 + resistance))  # of a converter of 10 bits
with open("thermometer.csv", "w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["reading", "degrees"], *zip(readings, degrees, strict=True)])

table, X, Y = fastgd.data.read_table("thermometer.csv", "degrees")
net = fastgd.MLP(1, 6, 1, activation="tanh", output="identity")
run = fastgd.train(net, X, Y, 20_000, 0.01, optimizer="adam", rng=0).with_values(table=table.to_dict())
run.to_c("thermometer.h", "thermometer", dtype="float32")
misses = table.decode(run.predict(X))[:, 0] - degrees
print(f"{net.n_params} parameters, {np.abs(misses).max():.2f} degrees off at most, {np.sqrt(np.mean(misses**2)):.2f} as a rule")
