/* Gradient descent as a textbook writes it: loops over samples, layers, units and inputs, widths known at run time. Full batch or Algorithm 1
 * of notes 004, plain or with Adam; exact backprop or the forward differences of notes 002 (1).
 */
#include <stdint.h>
#include <tgmath.h> /* exp is expf where REAL is float */

#include "protocol.h"

typedef struct {
    int inputs, units;
    Activation activation;
    REAL *W, *dW;   /* (units, inputs) */
    REAL *b, *db;   /* (units,) */
    REAL *a;        /* (units,) activations of one sample */
    REAL *delta;    /* (units,) dC/dz of one sample */
} Layer;

typedef struct {
    int layers, n_params, cross_entropy;
    Layer layer[MAX_LAYERS];
    REAL *params, *gradient; /* (n_params,); the layers point into them */
} Network;

static Network make_network(const Problem *problem, REAL *params) {
    Network net = {.layers = problem->layers, .n_params = problem->n_params, .params = params, .cross_entropy = problem->cross_entropy};
    net.gradient = allocate(net.n_params, sizeof(REAL));
    REAL *p = params, *g = net.gradient;
    for (int l = 0; l < net.layers; l++) {
        int inputs = problem->widths[l], units = problem->widths[l + 1], weights = units * inputs;
        net.layer[l] = (Layer){.inputs = inputs, .units = units, .W = p, .b = p + weights, .dW = g, .db = g + weights};
        net.layer[l].activation = problem->activations[l];
        net.layer[l].a = allocate(units, sizeof(REAL));
        net.layer[l].delta = allocate(units, sizeof(REAL));
        p += weights + units;
        g += weights + units;
    }
    return net;
}

static void free_network(Network *net) {
    for (int l = 0; l < net->layers; l++) {
        free(net->layer[l].a);
        free(net->layer[l].delta);
    }
    free(net->gradient);
}

static REAL activate(Activation activation, REAL z) {
    switch (activation) {
    case SIGMOID: return 1 / (1 + exp(-z));
    case TANH: return tanh(z);
    case RELU: return z > 0 ? z : 0;
    default: return z;
    }
}

/* da/dz */
static REAL derivative(Activation activation, REAL a) {
    switch (activation) {
    case SIGMOID: return a * (1 - a);
    case TANH: return 1 - a * a;
    case RELU: return a > 0;
    default: return 1;
    }
}

static void softmax(REAL *a, int units) {
    REAL most = a[0], sum = 0;
    for (int j = 1; j < units; j++) most = a[j] > most ? a[j] : most;
    for (int j = 0; j < units; j++) sum += a[j] = exp(a[j] - most);
    for (int j = 0; j < units; j++) a[j] /= sum;
}

/* a(l) = f(W a(l-1) + b), notes 002 (45), 004. */
static void forward(const Network *net, const REAL *x) {
    const REAL *before = x; /* (inputs,) */
    for (int l = 0; l < net->layers; l++) {
        const Layer *layer = &net->layer[l];
        for (int j = 0; j < layer->units; j++) {
            REAL z = layer->b[j];
            for (int k = 0; k < layer->inputs; k++) z += layer->W[j * layer->inputs + k] * before[k];
            layer->a[j] = activate(layer->activation, z);
        }
        if (layer->activation == SOFTMAX) softmax(layer->a, layer->units);
        before = layer->a;
    }
}

/* Adds one sample's gradient, notes 002 (50)-(52) with the 2 of the squared error at the last layer only. */
static void backward(const Network *net, const REAL *x, const REAL *y) {
    const Layer *last = &net->layer[net->layers - 1];
    for (int j = 0; j < last->units; j++)
        last->delta[j] = net->cross_entropy ? last->a[j] - y[j] : 2 * (last->a[j] - y[j]) * derivative(last->activation, last->a[j]);
    for (int l = net->layers - 1; l >= 0; l--) {
        const Layer *layer = &net->layer[l];
        const REAL *before = l > 0 ? net->layer[l - 1].a : x; /* (inputs,) */
        for (int j = 0; j < layer->units; j++) {
            layer->db[j] += layer->delta[j];
            for (int k = 0; k < layer->inputs; k++) layer->dW[j * layer->inputs + k] += layer->delta[j] * before[k];
        }
        if (l == 0) break;
        REAL *delta_before = net->layer[l - 1].delta; /* (inputs,) */
        for (int k = 0; k < layer->inputs; k++) {
            REAL sum = 0;
            for (int j = 0; j < layer->units; j++) sum += layer->W[j * layer->inputs + k] * layer->delta[j];
            delta_before[k] = sum * derivative(net->layer[l - 1].activation, before[k]);
        }
    }
}

typedef struct {
    const REAL *X, *Y; /* (n, inputs), (n, outputs) */
    const int *order;  /* (n,) the row at each place */
    int start, stop;   /* places of this batch */
} Batch;

static void backprop(const Network *net, Batch batch, int inputs, int outputs) {
    memset(net->gradient, 0, net->n_params * sizeof(REAL));
    for (int i = batch.start; i < batch.stop; i++) {
        int row = batch.order[i];
        forward(net, batch.X + row * inputs);
        backward(net, batch.X + row * inputs, batch.Y + row * outputs);
    }
    for (int p = 0; p < net->n_params; p++) net->gradient[p] /= batch.stop - batch.start;
}

/* C of squared error, notes 002 (17). */
static REAL cost(const Network *net, Batch batch, int inputs, int outputs) {
    const REAL *a = net->layer[net->layers - 1].a; /* (outputs,) */
    REAL sum = 0;
    for (int i = batch.start; i < batch.stop; i++) {
        int row = batch.order[i];
        forward(net, batch.X + row * inputs);
        for (int j = 0; j < outputs; j++) {
            REAL difference = a[j] - batch.Y[row * outputs + j];
            sum += difference * difference;
        }
    }
    return sum / (batch.stop - batch.start);
}

/* (C(w + eps) - C(w)) / eps, notes 002 (1). */
static void finite_difference(const Network *net, Batch batch, int inputs, int outputs, REAL eps) {
    REAL base = cost(net, batch, inputs, outputs);
    for (int p = 0; p < net->n_params; p++) {
        REAL saved = net->params[p];
        net->params[p] = saved + eps;
        net->gradient[p] = (cost(net, batch, inputs, outputs) - base) / eps;
        net->params[p] = saved;
    }
}

typedef struct {
    REAL *m, *v; /* (n_params,) */
    REAL beta1_t, beta2_t;
} Adam;

/* Kingma and Ba, Algorithm 1: what to take from the parameters, in place of their gradient. */
static void adam(Adam *state, REAL *gradient, int n_params) {
    const REAL beta1 = (REAL)0.9, beta2 = (REAL)0.999, epsilon = (REAL)1e-8;
    state->beta1_t *= beta1;
    state->beta2_t *= beta2;
    for (int p = 0; p < n_params; p++) {
        REAL g = gradient[p];
        state->m[p] = beta1 * state->m[p] + (1 - beta1) * g;
        state->v[p] = beta2 * state->v[p] + (1 - beta2) * g * g;
        gradient[p] = state->m[p] / (1 - state->beta1_t) / (sqrt(state->v[p] / (1 - state->beta2_t)) + epsilon);
    }
}

static void fisher_yates(int *order, int n, uint64_t *random) {
    for (int i = n - 1; i > 0; i--) {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17; /* xorshift64 */
        int j = (int)(((*random >> 32) * (uint64_t)(i + 1)) >> 32);
        int swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
}

static void train(const Problem *problem, REAL *params, long epochs, int shuffle) {
    Network net = make_network(problem, params);
    int n = problem->n, inputs = problem->widths[0], outputs = problem->widths[problem->layers];
    int *order = allocate(n, sizeof(int)); /* (n,) */
    for (int i = 0; i < n; i++) order[i] = i;
    uint64_t random = 88172645463325252u;
    Adam state = {allocate(net.n_params, sizeof(REAL)), allocate(net.n_params, sizeof(REAL)), 1, 1};
    for (long epoch = 0; epoch < epochs; epoch++) {
        if (shuffle) fisher_yates(order, n, &random);
        for (int start = 0; start < n; start += problem->batch) {
            int stop = start + problem->batch < n ? start + problem->batch : n;
            Batch batch = {problem->X, problem->Y, order, start, stop};
            if (problem->finite_differences)
                finite_difference(&net, batch, inputs, outputs, problem->eps);
            else
                backprop(&net, batch, inputs, outputs);
            if (problem->adam) adam(&state, net.gradient, net.n_params);
            for (int p = 0; p < net.n_params; p++) params[p] -= problem->rate * net.gradient[p];
        }
    }
    free(state.m);
    free(state.v);
    free(order);
    free_network(&net);
}

int main(int argc, char **argv) {
    Problem problem = read_problem(argc, argv);
    return serve(&problem, train);
}
