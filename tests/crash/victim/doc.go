// Victim is the program that crash tests kill. It runs one workload on a data directory, or a NATS server:
//
//	victim ledger    -dir D [-url U] [-window 100ms] [-checkpoint 20ms] [-report F] [-entries N] [-output F] …
//	victim fizzbuzz  -dir D … [-beats 120] [-rate 1ms]
//	victim wordcount -dir D … -output F FILE…
//	victim server    -dir D [-port N]
//
// On standard output it says what it does, one line at a time, so that a test can choose the moment of a kill:
// "starting", "log …" for each log line, "progress N" while commits are made, "listening URL". A run that is complete
// exits with 0, a run that failed says why on standard error and exits with 1.
//
// It ends when its standard input does, so that no victim outlives its test.
package main
