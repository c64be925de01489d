/* What the floating-point units can do at most: products and sums over registers, by so many threads at once.
 *
 * fma THREADS prints floating-point operations a second, those of all threads together, each by its own processor time: threads that share
 * a core share its units, and whoever else runs meanwhile counts for nothing.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
enum { BYTES = 64 };
#elif defined(__AVX__)
enum { BYTES = 32 };
#else
enum { BYTES = 16 };
#endif

typedef REAL Vector __attribute__((vector_size(BYTES)));

enum { SUMS = 12, TURNS = 1000000, ROUNDS = 20, MOST = 64 }; /* sums that are under way at once: four cycles of two units need eight */

static pthread_barrier_t together;

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}

/* The operations a second of the fastest round. */
static void *run(void *result) {
    Vector sums[SUMS], factor = {0}, summand = {0};
    double best = 0;
    factor += (REAL)0.999, summand += (REAL)0.001;
    for (int i = 0; i < SUMS; i++)
        sums[i] = summand;
    pthread_barrier_wait(&together);
    for (int round = 0; round < ROUNDS; round++) {
        double start = seconds();
        for (long turn = 0; turn < TURNS; turn++) {
#pragma GCC unroll 12
            for (int i = 0; i < SUMS; i++)
                sums[i] = sums[i] * factor + summand;
        }
        double rate = 2.0 * SUMS * TURNS * (BYTES / sizeof(REAL)) / (seconds() - start);
        best = rate > best ? rate : best;
    }
    for (int i = 1; i < SUMS; i++)
        sums[0] += sums[i];
    *(double *)result = sums[0][0] > 0 ? best : 0; /* so that the loop is for something */
    return NULL;
}

int main(int count, char **arguments) {
    int threads = count > 1 ? atoi(arguments[1]) : 1;
    pthread_t started[MOST];
    double rates[MOST], total = 0;
    if (threads < 1 || threads > MOST)
        return 1;
    pthread_barrier_init(&together, NULL, threads);
    for (int i = 0; i < threads; i++)
        pthread_create(&started[i], NULL, run, &rates[i]);
    for (int i = 0; i < threads; i++) {
        pthread_join(started[i], NULL);
        total += rates[i];
    }
    printf("%g\n", total);
    return 0;
}
