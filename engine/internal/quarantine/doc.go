// Package quarantine finds messages that kill the process. It knows nothing of tasks: it is told what the process
// before was doing, asks what it must know of the instances, and says who may call the user's code, and for how long a
// message that was handled may still do harm.
package quarantine
