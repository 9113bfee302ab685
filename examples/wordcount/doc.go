// Package wordcount counts the words of files, as "tr | sort | uniq -c" does, with a state that is larger than what a
// commit carries: one counter per word.
//
//	lines ──> split ──> count ──> report
//
// The stages lines and report are ready-made ([stages.Files], [stages.FileSink]). The stage count reads the words by
// key ([engine.KeyBy]), so that its functions see one word's counter at a time and only changed counters travel in a
// commit. Its End hook is called once for each word, in order, and emits the result.
//
// A word is a run of bytes that are not ASCII white space; the text need not be UTF-8. The output has one line "<count>
// <word>" for each word, sorted by the words' bytes. Killed at any moment, the pipeline resumes and the output is the
// same; files that have changed meanwhile are refused.
package wordcount
