#!/usr/bin/env bash
# Gets the libraries of the page at these versions. Needs npm.
set -euo pipefail
viz=3.31.0
uplot=1.6.32
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent "@viz-js/viz@$viz" "uplot@$uplot"
mkdir viz uplot
tar xzf viz-js-viz-"$viz".tgz -C viz --strip-components=1
tar xzf uplot-"$uplot".tgz -C uplot --strip-components=1
cp viz/dist/viz.js "$here/viz.js"
cp uplot/dist/uPlot.esm.js "$here/uplot.js"
cp uplot/dist/uPlot.min.css "$here/uplot.css"
cp uplot/LICENSE "$here/uplot.LICENSE"
