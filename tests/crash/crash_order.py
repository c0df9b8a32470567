# SPDX-License-Identifier: Apache-2.0
"""Whether the answers that commands gave about one container can have come about.

What a container is:
	absent
	making	its id is taken, it is being made (doomed: and its process was killed)
	created, running, paused, waiting (created and paused)
	dying	killed, and not dead yet
	stopped
	going	its state is removed, its id not yet free

A command is a list of steps from one to another; its answer says which. Each step happens at one moment between the
command's beginning and its end; a killed process ends when it likes. check() looks for an order of all steps of all
commands. Commands that change nothing are put in as soon as they fit: that can't be wrong.
"""
import os

ALIVE = {"created", "running", "paused", "waiting", "dying"}
SEEN = {  # what `state` may say
    "absent": {"absent"}, "going": {"absent"}, "making": {"creating", "absent"}, "doomed": {"creating", "stopped", "absent"},
    "created": {"created"}, "running": {"running"}, "paused": {"paused"}, "waiting": {"paused"}, "stopped": {"stopped"},
    "dying": {"created", "running", "paused", "stopped"},
}
GONE = {"absent", "going", "making", "doomed"}  # or not there yet
BROKEN = {"dying", "stopped", "doomed", "going"}  # where a command may fail in the middle, with words of its own
AGAIN = "exists, after a delete took its folder for that of a dead create"
LOOKS = {  # (command, answer): where the container is left as it is
    ("create", "exists"): set(SEEN) - {"absent"},
    ("start", "absent"): GONE, ("start", "stopped"): {"stopped"}, ("start", "running"): {"running", "dying"},
    ("start", "state"): {"paused", "waiting", "making", "doomed", "dying"},
    ("kill", "absent"): GONE, ("kill", "not-running"): {"stopped", "making", "doomed", "dying"},
    ("delete", "absent"): GONE, ("delete", "not-stopped"): {"running", "paused", "waiting", "dying"},
    ("pause", "absent"): GONE, ("pause", "not-running"): {"stopped", "paused", "waiting", "making", "doomed", "dying"},
    ("pause", "ok"): {"dying", "stopped"},
    ("resume", "absent"): GONE,
    ("resume", "not-paused"): {"running", "created", "stopped", "making", "doomed", "dying"},
    ("resume", "ok"): {"dying", "stopped"},
    ("exec", "absent"): GONE, ("exec", "ok"): {"running", "created", "dying"}, ("exec", "stopped"): {"stopped", "doomed"},
    ("exec", "not-running"): {"stopped", "dying"},
    ("exec", "paused"): {"paused", "waiting", "dying"}, ("exec", "creating"): {"making", "doomed"},
    ("delete-f", "ok"): {"absent"},
    ("kill", "ok"): {"dying", "doomed"},
    # the folder of one that begins to be made is taken for that of one that died so; it is made again
    ("delete", "ok"): {"making"},
}
LOOKS["create", AGAIN] = LOOKS["create", "exists"]
DONE = None
MOVES = {  # (command, answer): {(step, container): (container, next step)}
    ("create", "ok"): {(0, "absent"): ("making", 1), (1, "making"): ("created", DONE),
                       (1, "doomed"): ("dying", DONE)},  # killed behind the last look at it
    ("create", "other"): {(0, "absent"): ("making", 1), (1, "doomed"): ("going", 2), (2, "going"): ("absent", DONE)},
    ("create", AGAIN): {(0, "absent"): ("making", 1), (1, "making"): ("absent", 2),
                        **{(2, now): (now, DONE) for now in set(SEEN) - {"absent"}}},
    # one that is killed while it starts, and of which nobody knows whether it has started
    ("start", "ok"): {(0, "created"): ("running", DONE), (0, "dying"): ("dying", DONE)},
    ("kill", "ok"): {(0, "created"): ("dying", DONE), (0, "running"): ("dying", DONE), (0, "paused"): ("dying", DONE),
                     (0, "waiting"): ("dying", DONE), (0, "making"): ("doomed", DONE)},
    ("pause", "ok"): {(0, "running"): ("paused", DONE), (0, "created"): ("waiting", DONE)},
    ("resume", "ok"): {(0, "paused"): ("running", DONE), (0, "waiting"): ("created", DONE)},
    ("delete", "ok"): {(0, "created"): ("dying", 1), (0, "stopped"): ("going", 2), (1, "stopped"): ("going", 2),
                       (2, "going"): ("absent", DONE)},
    ("delete-f", "ok"): {(0, "stopped"): ("going", 2), (1, "stopped"): ("going", 2), (2, "going"): ("absent", DONE),
                         **{(0, now): ("dying", 1) for now in ALIVE}},
}
PLANS_MAX = 200000


def looks(act, said, now):
    if act == "state":
        return said in SEEN[now]
    if said.startswith("other") and act != "create":
        return now in BROKEN
    return now in LOOKS.get((act, said), ())


def moves(act, said, step, now):
    return MOVES.get((act, said.split(":")[0]), {}).get((step, now))


def only_looks(act, said):
    return (act, said.split(":")[0]) not in MOVES


def settle(events, plan):
    """Puts in what changes nothing."""
    now, pending = plan
    return now, frozenset((i, step) for i, step in pending
                          if not (only_looks(*events[i][2:]) and looks(*events[i][2:], now)))


def reach(events, plans):
    """All that can have happened by now."""
    todo, found = list(plans), set(plans)
    while todo:
        now, pending = todo.pop()
        nexts = [("stopped", pending)] if now == "dying" else []
        for i, step in pending:
            moved = moves(*events[i][2:], step, now)
            if step == 0 and looks(*events[i][2:], now):
                nexts.append((now, pending - {(i, step)}))
            if moved:
                rest = pending - {(i, step)}
                nexts.append((moved[0], rest if moved[1] is DONE else rest | {(i, moved[1])}))
        for plan in nexts:
            plan = settle(events, plan)
            if plan not in found:
                found.add(plan)
                todo.append(plan)
        if len(found) > PLANS_MAX:
            raise OverflowError
    return found


def again(events):
    """The same, where a create that found its id in use may have made the folder that a delete beside it removed."""
    deletes = [e for e in events if e[2] == "delete" and e[3] == "ok"]
    return [e[:3] + (AGAIN,) if e[2:] == ("create", "exists") and any(d[0] < e[1] and e[0] < d[1] for d in deletes) else e
            for e in events]


def check(events):
    """events: (began, ended, command, answer). None, or the first answer that no order gives."""
    wrong = check_once(events)
    # another question costs more, and is hardly ever asked
    return wrong and check_once(again(events))


def check_once(events):
    marks = sorted([(e[0], 1, i) for i, e in enumerate(events)] + [(e[1], 0, i) for i, e in enumerate(events)])
    plans = {("absent", frozenset())}
    for _, begins, i in marks:
        if begins:
            plans = {settle(events, (now, pending | {(i, 0)})) for now, pending in plans}
            continue
        try:
            plans = reach(events, plans)
        except OverflowError:
            return None  # too many at once to say
        left = {plan for plan in plans if all(j != i for j, _ in plan[1])}
        if not left:
            began, ended, act, said = events[i]
            # to look into one: CROWD_DUMP=1
            if os.environ.get("CROWD_DUMP"):
                for e in sorted(events):
                    if began - 0.3 < e[1] and e[0] < ended + 0.1:
                        print(f"    {e[0] - began:+.4f} {e[1] - began:+.4f} {e[2]} {e[3]}")
            meanwhile = [f"{e[2]}={e[3]}" for e in events if e[0] < ended and e[1] > began and e is not events[i]]
            return (f"{act} says '{said}', and the container can only be {sorted({now for now, _ in plans})} "
                    f"(meanwhile: {meanwhile})")
        plans = left
    return None
