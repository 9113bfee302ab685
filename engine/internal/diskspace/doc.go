// Package diskspace watches the free space of the disks that a run writes to. It knows nothing of stages: it says
// at which level the disks are, and its caller decides what waits.
package diskspace
