package dashboard

import (
	"context"
	"fmt"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

// wide is a pipeline of forty stages: four groups with a source, a parser with a
// branch for what is bad, and six steps each; and two ways on from there, one of
// them by eight stages that all read the same.
func wide() *engine.Pipeline {
	p := engine.New("warehouse")
	var ways []*engine.Stream[uint64]
	var bads []*engine.BranchOf[uint64]
	for g := range 4 {
		region := p.Group(fmt.Sprint("region-", g+1), engine.Group{Strategy: supervise.RestForOne})
		bad := engine.Branch[uint64](p, "bad")
		in := engine.Source(region, fmt.Sprintf("orders-%d", g+1), paced(time.Duration(4+16*g)*time.Millisecond))
		way := engine.Stage(region.With(engine.Branches(bad)), fmt.Sprintf("parse-%d", g+1),
			engine.On(in, func(ctx context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
				if m.Value%10 == 0 {
					bad.Emit(ctx, m.Value)
					return nil
				}
				emit(m.Value)
				return nil
			}))
		for _, step := range []string{"validate", "price", "tax", "stock"} {
			way = engine.Stage(region, fmt.Sprintf("%s-%d", step, g+1), engine.On(way, pass))
		}
		ways, bads = append(ways, way), append(bads, bad)
	}
	merged := engine.Stage(p, "merge", engine.On(ways[0], pass), engine.On(ways[1], pass), engine.On(ways[2], pass), engine.On(ways[3], pass))
	office := p.Group("office", engine.Group{})
	refused := engine.Stage(office, "refused", engine.On(&bads[0].Stream, pass), engine.On(&bads[1].Stream, pass), engine.On(&bads[2].Stream, pass), engine.On(&bads[3].Stream, pass))
	engine.Sink(office, "call-back", refused, drop)
	delivery := p.Group("delivery", engine.Group{})
	for _, to := range []string{"pack", "invoice", "mail", "forecast", "audit", "archive"} {
		way := engine.Stage(delivery, to, engine.On(merged, pass))
		engine.Sink(delivery, to+"-out", way, drop)
	}
	engine.Sink(p, "totals", merged, func(_ context.Context, sum *uint64, m engine.Message[uint64]) error { *sum += m.Value; return nil })
	return p
}

func paced(every time.Duration) engine.SourceFunc[uint64, uint64] {
	return func(ctx context.Context, next *uint64, emit engine.Emit[uint64]) error {
		select {
		case <-time.After(every):
			*next++
			emit(*next)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func pass(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
	emit(m.Value)
	return nil
}

func drop(context.Context, *struct{}, engine.Message[uint64]) error { return nil }
