// Package fizzbuzz is a demonstration: a small pipeline that shows everything that the engine is for.
//
//	generator ─┐
//	           ├─> worker ──> logger
//	heartbeat ─┘
//
// The generator counts from 0, the heartbeat beats, and the worker turns exactly one number into a [Word] at each beat:
// it reads both streams with one state, and returns engine.Hold for a number that comes before its beat. The logger
// logs the words and counts them.
//
// Four faults show what a failure costs, unless they are turned off. The generator panics once before number 12 and the
// heartbeat once at its seventh beat: each is started again from its last commit, and no number and no beat is lost or
// doubled. The worker panics at every attempt of number 33 and the logger at every attempt of the word 41: after three
// attempts these two messages become dead letters, and everything else goes on.
//
// [New] makes the pipeline. With 120 beats it ends by itself after logging 118 words: 31 Fizz, 16 Buzz, 8 FizzBuzz and
// 63 numbers.
package fizzbuzz
