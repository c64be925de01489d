/* One sigmoid neuron with two inputs on four samples, written by hand for exactly that: parameters in locals, loops of constant counts. The
 * four samples are one vector, and exp is libmvec's for four numbers at once.
 */
#include <math.h>

#include "protocol.h"

enum { SAMPLES = 4, COSTS = 4 }; /* costs: of the parameters as they are, and of each of the three a step further */

/* gcc would unroll a loop of four before it looks for vectors, and then call the scalar exp four times: twice the time. */
#define ONE_VECTOR _Pragma("GCC unroll 1")

typedef struct {
    double w1, w2, b;
} Neuron;

typedef struct {
    double x1[SAMPLES], x2[SAMPLES], y[SAMPLES];
} Samples;

/* The derivatives of the cost, notes 002 (20)-(22); `step` is the learning rate times 2 / n. */
static Neuron gradient_descent(Neuron p, Samples in, double step, long epochs) {
    for (long epoch = 0; epoch < epochs; epoch++) {
        double dw1 = 0, dw2 = 0, db = 0;
        ONE_VECTOR
        for (int i = 0; i < SAMPLES; i++) {
            double a = 1 / (1 + exp(-(in.x1[i] * p.w1 + in.x2[i] * p.w2 + p.b)));
            double delta = (a - in.y[i]) * a * (1 - a);
            dw1 += delta * in.x1[i];
            dw2 += delta * in.x2[i];
            db += delta;
        }
        p.w1 -= step * dw1;
        p.w2 -= step * dw2;
        p.b -= step * db;
    }
    return p;
}

/* (C(w + eps) - C(w)) / eps, notes 002 (1); `step` is the learning rate / (n eps). A perturbed z is z plus a number known beforehand. */
static Neuron finite_difference(Neuron p, Samples in, double step, double eps, long epochs) {
    double perturbation[COSTS][SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        perturbation[0][i] = 0;
        perturbation[1][i] = eps * in.x1[i];
        perturbation[2][i] = eps * in.x2[i];
        perturbation[3][i] = eps;
    }
    for (long epoch = 0; epoch < epochs; epoch++) {
        double z[SAMPLES], cost[COSTS];
        for (int i = 0; i < SAMPLES; i++) z[i] = in.x1[i] * p.w1 + in.x2[i] * p.w2 + p.b;
        for (int c = 0; c < COSTS; c++) {
            cost[c] = 0;
            ONE_VECTOR
            for (int i = 0; i < SAMPLES; i++) {
                double difference = 1 / (1 + exp(-(z[i] + perturbation[c][i]))) - in.y[i];
                cost[c] += difference * difference;
            }
        }
        p.w1 -= step * (cost[1] - cost[0]);
        p.w2 -= step * (cost[2] - cost[0]);
        p.b -= step * (cost[3] - cost[0]);
    }
    return p;
}

static void train(const Problem *problem, double *params, long epochs, int shuffle) {
    (void)shuffle; /* full batch */
    Neuron p = {params[0], params[1], params[2]};
    Samples in;
    for (int i = 0; i < SAMPLES; i++) {
        in.x1[i] = problem->X[2 * i];
        in.x2[i] = problem->X[2 * i + 1];
        in.y[i] = problem->Y[i];
    }
    double step = problem->rate / SAMPLES;
    if (problem->finite_differences)
        p = finite_difference(p, in, step / problem->eps, problem->eps, epochs);
    else
        p = gradient_descent(p, in, 2 * step, epochs);
    params[0] = p.w1;
    params[1] = p.w2;
    params[2] = p.b;
}

int main(int argc, char **argv) {
    Problem problem = read_problem(argc, argv);
    return serve(&problem, train);
}
