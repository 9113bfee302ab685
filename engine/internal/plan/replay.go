package plan

// ReplayStream names the input of replayed dead letters in the positions of a stage. No stage can be called so.
const ReplayStream = "+replays"
