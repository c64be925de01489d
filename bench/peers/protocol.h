/* How a peer is spoken to, so that only its loop is timed.
 *
 *   PROGRAM NAME=VALUE ...
 *
 * dtype        float32 or float64
 * widths       of the network, with commas between: 2,8,1
 * activations  one a layer: sigmoid,sigmoid
 * loss         squared_error or cross_entropy
 * method       backprop or finite_difference, whose step is eps
 * optimizer    sgd or adam, whose learning rate is rate
 * n, batch     rows, and rows of a batch
 * threads      most to use
 *
 * Standard input brings numbers, all of them doubles: the initial parameters (each layer's W row by row, (units, inputs), then its b),
 * X (n, inputs) and Y (n, outputs); then requests, lines "EPOCHS SHUFFLE". Each request starts from the initial parameters and is answered
 * by doubles: the seconds, then the parameters.
 *
 * A program in C is compiled for one dtype.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef REAL
#define REAL double
#endif

enum { MAX_LAYERS = 16 };

typedef enum { IDENTITY, SIGMOID, TANH, RELU, SOFTMAX } Activation;

typedef struct {
    int finite_differences, cross_entropy, adam;
    REAL rate, eps;
    int n, batch;
    int layers, widths[MAX_LAYERS + 1];
    Activation activations[MAX_LAYERS];
    int n_params;
    REAL *initial; /* (n_params,) */
    REAL *X;       /* (n, inputs) */
    REAL *Y;       /* (n, outputs) */
} Problem;

typedef void Train(const Problem *problem, REAL *params, long epochs, int shuffle);

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) exit((perror("calloc"), 1));
    return memory;
}

/* The VALUE of NAME=VALUE. */
static const char *argument(int argc, char **argv, const char *name) {
    size_t length = strlen(name);
    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], name, length) && argv[i][length] == '=') return argv[i] + length + 1;
    exit((fprintf(stderr, "no argument %s=\n", name), 1));
}

static Activation activation_of(const char *name) {
    static const char *names[] = {"identity", "sigmoid", "tanh", "relu", "softmax"};
    for (int i = 0; i <= SOFTMAX; i++)
        if (!strncmp(name, names[i], strlen(names[i]))) return (Activation)i;
    exit((fprintf(stderr, "no activation %s\n", name), 1));
}

static REAL *read_numbers(int count) {
    double *doubles = allocate(count, sizeof(double));
    REAL *numbers = allocate(count, sizeof(REAL));
    if (fread(doubles, sizeof(double), count, stdin) != (size_t)count) exit((fprintf(stderr, "%d numbers expected\n", count), 1));
    for (int i = 0; i < count; i++) numbers[i] = (REAL)doubles[i];
    free(doubles);
    return numbers;
}

static Problem read_problem(int argc, char **argv) {
    Problem problem = {0};
    problem.finite_differences = !strcmp(argument(argc, argv, "method"), "finite_difference");
    problem.cross_entropy = !strcmp(argument(argc, argv, "loss"), "cross_entropy");
    problem.adam = !strcmp(argument(argc, argv, "optimizer"), "adam");
    problem.rate = (REAL)atof(argument(argc, argv, "rate"));
    problem.eps = (REAL)atof(argument(argc, argv, "eps"));
    problem.n = atoi(argument(argc, argv, "n"));
    problem.batch = atoi(argument(argc, argv, "batch"));
    problem.layers = -1;
    for (const char *width = argument(argc, argv, "widths"); width && problem.layers < MAX_LAYERS; width = strchr(width, ',')) {
        width += *width == ',';
        problem.widths[++problem.layers] = atoi(width);
    }
    const char *name = argument(argc, argv, "activations");
    for (int l = 0; l < problem.layers; l++, name = strchr(name, ',') + 1) problem.activations[l] = activation_of(name);
    for (int l = 0; l < problem.layers; l++) problem.n_params += (problem.widths[l] + 1) * problem.widths[l + 1];
    problem.initial = read_numbers(problem.n_params);
    problem.X = read_numbers(problem.n * problem.widths[0]);
    problem.Y = read_numbers(problem.n * problem.widths[problem.layers]);
    return problem;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void write_number(double number) { fwrite(&number, sizeof(double), 1, stdout); }

/* Answers requests until there are no more. */
static int serve(const Problem *problem, Train *train) {
    REAL *params = allocate(problem->n_params, sizeof(REAL)); /* (n_params,) */
    long epochs;
    int shuffle;
    while (scanf("%ld %d", &epochs, &shuffle) == 2) {
        memcpy(params, problem->initial, problem->n_params * sizeof(REAL));
        double start = now();
        train(problem, params, epochs, shuffle);
        write_number(now() - start);
        for (int i = 0; i < problem->n_params; i++) write_number((double)params[i]);
        fflush(stdout);
    }
    return 0;
}
