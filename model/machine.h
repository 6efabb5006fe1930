/* machine.h - how fast a machine reads weights and multiplies, as numbers.
 *
 * Part of the door: include "model/model.h". A machine is either a row of a dated table
 * (devices.ini: what its maker states, and the shares of it that programs reach) or the one that
 * runs, measured through its kernels (calibrate.c). Both answer one question: how long does a
 * product of so many rows with weights of a type take, for each weight.
 *
 * A table: max(bytes of a weight / (bandwidth * reach_bandwidth),
 *              2 * rows / (arithmetic * reach_flops)).
 * Measured: the kernels timed at the rows of WEFT_RATE_ROWS, straight lines between.
 *
 * Plain data; the strings are owned. A table is read strictly: WEFT_ERROR_CONFIG names file,
 * group and key.
 */
#ifndef WEFT_MODEL_MACHINE_H
#define WEFT_MODEL_MACHINE_H

#include <glib.h>

#include "bundle/bundle.h"
#include "kernels/kernels.h"

#define WEFT_RATE_POINTS 5
/* Rows at which products are timed: 1, 2, 8, 32, 256. */
extern const gsize WEFT_RATE_ROWS[WEFT_RATE_POINTS];

/* Seconds for each weight, at the rows of WEFT_RATE_ROWS. */
typedef struct WeftRate {
	gboolean is_known;
	double seconds[WEFT_RATE_POINTS];
} WeftRate;

typedef struct WeftMachine {
	char *name, *title;
	char *source, *date;             /* of a table's row; NULL when measured */
	char *price_source, *price_date; /* NULL: there is no price */
	gboolean is_measured;
	double memory_bytes;   /* of the device; measured: memory that is free for a program */
	double host_bytes;     /* behind the link; 0: nothing but the disk is there */
	double read_bytes_s;   /* streaming from memory */
	double link_bytes_s;   /* to what does not fit memory: from the host, or from the disk;
				* 0: not measured, all weights were in memory */
	double flops;          /* 0 when measured */
	double reach_bandwidth, reach_flops;
	double watts;
	double price_hour;     /* to rent it; 0: not known */

	/* Measured only. */
	int n_threads;
	const char *tier;
	double read_peak_bytes_s;                    /* plain reading by all threads */
	WeftRate gemm[WEFT_DTYPE_COUNT][2];          /* [1]: weights stored [in,out] */
	double attend_one_s, attend_many_s;          /* a query head and a key: 1 row, many rows */
	double norm_s, swiglu_s;                     /* a number of a row operation */
	double operation_s;                          /* of the smallest operation */
	double touch_bytes_s;                        /* first touch of mapped weights in memory */
	double fault_bytes;                          /* of the mapping that one touch brings */
	double absent_share;                         /* of the weights: not in memory, on the disk */
} WeftMachine;

void weft_machine_free(WeftMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftMachine, weft_machine_free)

/* Seconds for each weight of a product with `rows` rows. */
double weft_machine_gemm_s(const WeftMachine *machine, WeftDtype dtype, gboolean is_kn, double rows);

typedef struct WeftApiPrice {
	char *provider, *source, *date;
	double input, output; /* for a million tokens */
} WeftApiPrice;

typedef struct WeftDevices WeftDevices;

/* Reads a table. */
WeftDevices *weft_devices_open(const char *path, GError **error);
void weft_devices_free(WeftDevices *devices);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftDevices, weft_devices_free)

/* The row [device NAME]; WEFT_ERROR_USAGE lists the names there are. Caller frees. */
WeftMachine *weft_devices_machine(const WeftDevices *devices, const char *name, GError **error);

const char *weft_devices_currency(const WeftDevices *devices);
double weft_devices_kwh(const WeftDevices *devices, const char **ret_source, const char **ret_date);
/* Watts of a core of a machine that is not in the table. */
double weft_devices_core_watts(const WeftDevices *devices, const char **ret_source);
/* WeftApiPrice of the APIs that serve a model of this kind; may be empty. Borrowed. */
GPtrArray *weft_devices_apis(const WeftDevices *devices, const WeftConfig *config);

/* Measures this machine for the types that the bundle's weights have (or `assumed`, where it has
 * none) and a cache of `kv`: one to three seconds. `touches`: looks up which weights are in memory and
 * reads up to 64 MB of each kind; else only memory of its own is read. WEFT_ERROR_LIMIT: no memory
 * to measure in. */
typedef struct WeftCalibration {
	const WeftBundle *bundle;
	WeftDtype assumed, kv;
	gboolean touches;
	double core_watts;
} WeftCalibration;
WeftMachine *weft_machine_measure(const WeftKernels *kernels, const WeftCalibration *calibration,
				  GError **error);

#endif
