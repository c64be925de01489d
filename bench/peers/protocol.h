/* How a peer in C is spoken to, so that only its loop is timed.
 *
 *   PROGRAM METHOD RATE EPS N BATCH WIDTH WIDTH [WIDTH ...]
 *
 * METHOD is backprop or finite_difference. Standard input brings numbers: the initial parameters (each layer's W row by row, (units, inputs),
 * then its b), X (n, inputs) and Y (n, outputs); then requests "EPOCHS SHUFFLE". Each request starts from the initial parameters and is
 * answered by one line, "SECONDS PARAMETER ...".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef REAL
#define REAL double
#endif

enum { MAX_LAYERS = 16, FIXED_ARGUMENTS = 6 };

typedef struct {
    int finite_differences;
    REAL rate, eps;
    int n, batch;
    int layers, widths[MAX_LAYERS + 1];
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

static REAL *read_numbers(int count) {
    REAL *numbers = allocate(count, sizeof(REAL));
    for (int i = 0; i < count; i++) {
        double number;
        if (scanf("%lf", &number) != 1) exit((fprintf(stderr, "%d numbers expected, %d came\n", count, i), 1));
        numbers[i] = (REAL)number;
    }
    return numbers;
}

static Problem read_problem(int argc, char **argv) {
    Problem problem = {0};
    problem.layers = argc - FIXED_ARGUMENTS - 1;
    if (problem.layers < 1 || problem.layers > MAX_LAYERS) exit((fprintf(stderr, "see protocol.h for the arguments\n"), 1));
    problem.finite_differences = !strcmp(argv[1], "finite_difference");
    problem.rate = (REAL)atof(argv[2]);
    problem.eps = (REAL)atof(argv[3]);
    problem.n = atoi(argv[4]);
    problem.batch = atoi(argv[5]);
    for (int l = 0; l <= problem.layers; l++) problem.widths[l] = atoi(argv[FIXED_ARGUMENTS + l]);
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

/* Answers requests until there are no more. */
static int serve(const Problem *problem, Train *train) {
    REAL *params = allocate(problem->n_params, sizeof(REAL)); /* (n_params,) */
    long epochs;
    int shuffle;
    while (scanf("%ld %d", &epochs, &shuffle) == 2) {
        memcpy(params, problem->initial, problem->n_params * sizeof(REAL));
        double start = now();
        train(problem, params, epochs, shuffle);
        printf("%.9g", now() - start);
        for (int i = 0; i < problem->n_params; i++) printf(" %.17g", (double)params[i]);
        putchar('\n');
        fflush(stdout);
    }
    return 0;
}
