/* A sketch as for an Arduino, on the host: a thermometer whose sensor is far from linear, read by a network.

   python scripts/microcontroller/train.py          writes thermometer.h
   cc -std=c99 main.c -lm && ./a.out

   On a board, analogRead(A0) stands for the simulated reading, and Serial.println for printf. */

#include <stdio.h>
#include "thermometer.h"

/* What the converter of 10 bits reads of a thermistor of 10 kOhm over a resistor of 10 kOhm, at so many degrees. */
static float reading_at(float degrees)
{
    const float resistance = expf(3950.0f * (1.0f / (degrees + 273.15f) - 1.0f / 298.15f));
    return floorf(1023.0f / (1.0f + resistance));
}

static float degrees;

static void setup(void)
{
    degrees = -20.0f;
    printf("reading  degrees  network\n");
}

static void loop(void)
{
    const float reading[THERMOMETER_INPUTS] = {reading_at(degrees)};
    float told[THERMOMETER_OUTPUTS];
    thermometer(reading, told);
    printf("%7.0f  %7.1f  %7.1f\n", (double)reading[0], (double)degrees, (double)told[0]);
    degrees += 10.0f;
}

int main(void)
{
    setup();
    while (degrees <= 90.0f)
        loop();
    return 0;
}
