#!/usr/bin/env python3
"""shadow_ledger: the books once more, from the log of calls and the transfers alone.

Knows nothing of the product's C, nor of its own checks in SQL: reads the rows of one snapshot as CSV and
works out anew, in integers, every account, the balance after each transfer, what every purse has used
and leased, what every call is charged, what shadows cost, every day of the roll-up and every invoice, and prints
what differs. Given what clients were told (JSON lines of {"id", "status", "whole", "cost"}, the cost in
nano-dollars), also holds that each answer a client saw whole is charged once and at that cost.

    shadow_ledger.py [--answers FILE] [--user UID] PSQL-ARGUMENT...

Status 1: something differs."""
import argparse
import csv
import io
import json
import os
import subprocess
import sys
from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracle"))
import price  # noqa: E402  the price rules, worked out once more

# What is read, and the columns that are wanted of it.
# What a call used, in disjoint classes: the column and the unit that has the price.
CLASSES = {
    "input_tokens": "input", "cached_input_tokens": "cached_input", "cache_write_5m_tokens": "cache_write_5m",
    "cache_write_1h_tokens": "cache_write_1h", "audio_input_tokens": "audio_input",
    "image_input_tokens": "image_input", "output_tokens": "output", "reasoning_tokens": "reasoning",
    "audio_output_tokens": "audio_output", "image_output_tokens": "image_output", "images": "image",
    "seconds": "second", "characters": "character", "pages": "page", "searches": "search", "requests": "request",
}
TABLES = {
    "moment": "SELECT clock_timestamp() AS now",
    "team": "SELECT id, time_zone FROM team",
    "account": "SELECT team_id, id, kind, debits_nano, credits_nano FROM account",
    "transfer": "SELECT team_id, id, code, debit_account, credit_account, amount_nano, funds_nano, calls,"
                " posted_at FROM transfer ORDER BY team_id, id",
    "purse": "SELECT team_id, id, kind, scope, scope_id, turns, capacity, used, leased, window_start,"
             " window_end FROM purse",
    "changed": "SELECT DISTINCT object FROM audit WHERE action = 'key.update'",
    "budget": "SELECT team_id, scope, scope_id FROM budget",
    "lease": "SELECT l.team_id, l.purse_id, l.session_id, l.remaining, l.window_start, n.state"
             " FROM lease l JOIN node_session n ON n.id = l.session_id",
    "call": "SELECT team_id, call_id, key_id, user_id, project_id, served_model, provider, account_id, outcome,"
            f" attempts, fallback, repeat, {', '.join(CLASSES)}, service_tier, image_kind, price_id, own_key,"
            " own_fee_bp, charge_nano, cost_nano, cache, saved_nano, posted_at, transfer_id FROM call",
    "price_unit": "SELECT price_id, service_tier, unit, above_input_tokens, image_kind, charge_per_million_nano AS charge,"
                  " cost_per_million_nano AS cost FROM price_unit",
    "tries": "SELECT team_id, call_id, count(*) AS n, count(*) FILTER (WHERE served) AS served"
             " FROM attempt GROUP BY team_id, call_id",
    "usage_day": "SELECT team_id, day, model, key_id, project_id, provider, account_id, calls, blocked, errors,"
                 f" fallbacks, {', '.join(CLASSES)}, charge_nano, cost_nano, cache_hits,"
                 " saved_nano FROM usage_day",
    "shadow_call": "SELECT call_id, shadowed_model_id, started_at, charge_nano, cost_nano,"
                   f" {', '.join(CLASSES)}, service_tier, image_kind, price_id, transfer_id FROM shadow_call",
    "shadow_day": "SELECT model_id, day, calls, cost_nano FROM shadow_day",
    "video_job": "SELECT team_id, call_id, state, returned_nano, transfer_id FROM video_job",
    "returned": "SELECT team_id, split_part(ref, '/', 1) AS name, amount_nano FROM transfer"
                " WHERE code = 'ADJUST' AND ref LIKE 'video\\_%'",
    "invoice": "SELECT * FROM invoice ORDER BY team_id, from_at",
    "invoice_line": "SELECT * FROM invoice_line",
}
USAGE = {"USAGE", "LATE_USAGE"}
SPENDABLE = {"wallet", "grant"}  # the accounts whose sum is what a team may spend
MARK = "--shadow--"


def read_tables(arguments, uid):
    script = ["SET timezone = 'UTC'; SET datestyle = 'ISO';",
              "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"]
    for name, query in TABLES.items():
        script += [f"\\echo {MARK}{name}", f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER);"]
    script.append("COMMIT;")
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments], input="\n".join(script),
                          capture_output=True, encoding="utf-8", cwd="/",
                          user=uid if os.geteuid() == 0 and uid else None)
    if done.returncode:
        sys.exit(f"psql: {done.stderr}")
    tables = {}
    for part in done.stdout.split(MARK)[1:]:
        name, text = part.split("\n", 1)
        tables[name] = list(csv.DictReader(io.StringIO(text)))
    return tables


def number(text):
    return int(text or 0)


def moment(text):
    """A timestamp of PostgreSQL's; None: infinitely far back or ahead."""
    if not text or text.endswith("infinity"):
        return None
    return datetime.fromisoformat(text).astimezone(timezone.utc)


class Books:
    def __init__(self, tables):
        self.tables = tables
        self.now = moment(tables["moment"][0]["now"])
        self.zone = {row["id"]: ZoneInfo(row["time_zone"]) for row in tables["team"]}
        self.kind = {(a["team_id"], a["id"]): a["kind"] for a in tables["account"]}
        self.changed = {row["object"] for row in tables["changed"]}  # keys whose settings were changed
        self.differences = []
        self.funds = defaultdict(int)       # team: what it may spend
        self.history = defaultdict(list)    # team: [(posted_at, movement, code)] in order of posting
        self.calls_of = defaultdict(list)   # (team, transfer): its calls

    def differs(self, what, *where):
        self.differences.append(f"{what}: {' '.join(str(w) for w in where)}")

    def same(self, what, recorded, expected, *where):
        if recorded != expected:
            self.differs(what, *where, f"recorded {recorded}, worked out {expected}")

    def movement(self, transfer):
        """What a transfer does to what its team may spend."""
        into = self.kind[transfer["team_id"], transfer["credit_account"]] in SPENDABLE
        out = self.kind[transfer["team_id"], transfer["debit_account"]] in SPENDABLE
        return number(transfer["amount_nano"]) * (into - out)

    def check_transfers(self):
        debits, credits = defaultdict(int), defaultdict(int)
        for t in self.tables["transfer"]:
            team, amount = t["team_id"], number(t["amount_nano"])
            debits[team, t["debit_account"]] += amount
            credits[team, t["credit_account"]] += amount
            self.funds[team] += self.movement(t)
            self.history[team].append((moment(t["posted_at"]), self.movement(t), t["code"]))
            self.same("balance after a transfer", number(t["funds_nano"]), self.funds[team], "team", team,
                      "transfer", t["id"])
        for a in self.tables["account"]:
            at = a["team_id"], a["id"]
            self.same("debits", number(a["debits_nano"]), debits[at], "team", at[0], a["kind"])
            self.same("credits", number(a["credits_nano"]), credits[at], "team", at[0], a["kind"])
        for team in {at[0] for at in self.kind}:
            mine = [at for at in self.kind if at[0] == team]
            self.same("both sides", sum(debits[at] for at in mine), sum(credits[at] for at in mine), "team", team)

    def check_calls(self):
        transfers = {(t["team_id"], t["id"]): t for t in self.tables["transfer"]}
        tries = {(t["team_id"], t["call_id"]): t for t in self.tables["tries"]}
        seen = set()
        for c in self.tables["call"]:
            at = c["team_id"], c["call_id"]
            if at in seen:
                self.differs("call twice", *at)
            seen.add(at)
            named = transfers.get((c["team_id"], c["transfer_id"]))
            if c["transfer_id"]:
                self.calls_of[c["team_id"], c["transfer_id"]].append(c)
            if number(c["charge_nano"]) > 0 and (not named or named["code"] not in USAGE):
                self.differs("a charge without its transfer", *at)
            if named and named["posted_at"] != c["posted_at"]:
                self.differs("call and transfer posted at two moments", *at)
            made = tries.get(at, {"n": 0, "served": 0})
            self.same("attempts", number(made["n"]), number(c["attempts"]), *at)
            if number(made["served"]) > 1:
                self.differs("two attempts served", *at)
            self.check_cache(c, at)
        for at in tries:
            if at not in seen:
                self.differs("attempts without a call", *at)
        for at, t in transfers.items():
            if t["code"] in USAGE:
                mine = self.calls_of[at]
                self.same("usage transfer", number(t["amount_nano"]), sum(number(c["charge_nano"]) for c in mine), *at)
                self.same("calls of a transfer", number(t["calls"]), len(mine), *at)

    def check_cache(self, c, at):
        """An answer that was kept used nothing and cost nothing; what it saved stands on no other call."""
        if c["cache"] == "hit":
            spent = [number(c[k]) for k in (*CLASSES, "charge_nano", "cost_nano", "attempts")]
            self.same("a kept answer that was paid for", sum(spent), 0, *at)
        else:
            self.same("saved without a kept answer", number(c["saved_nano"]), 0, *at)

    def check_purses(self):
        left = defaultdict(int)
        for lease in self.tables["lease"]:
            if lease["state"] == "live":
                left[lease["team_id"], lease["purse_id"], lease["window_start"]] += number(lease["remaining"])
            elif number(lease["remaining"]):
                self.differs("leased to a session that is over", lease["session_id"], "purse", lease["purse_id"])
        spent = defaultdict(list)
        returned = {(v["team_id"], v["call_id"]): number(v["returned_nano"]) for v in self.tables["video_job"]}
        for c in self.tables["call"]:
            entry = moment(c["posted_at"]), number(c["charge_nano"]) - returned.get((c["team_id"], c["call_id"]), 0)
            spent[c["team_id"], "team", c["team_id"]].append(entry)
            spent[c["team_id"], "key", c["key_id"]].append(entry)
            spent[c["team_id"], "project", c["project_id"]].append(entry)
            spent[c["team_id"], "user", c["user_id"]].append(entry)
        budgets = {(b["team_id"], b["scope"], b["scope_id"]) for b in self.tables["budget"]}
        for p in self.tables["purse"]:
            where = "team", p["team_id"], p["kind"], p["scope"], p["scope_id"]
            self.same("leased", number(p["leased"]), left[p["team_id"], p["id"], p["window_start"]], *where)
            if p["kind"] == "wallet":
                self.same("spendable", number(p["capacity"]) - number(p["used"]), self.funds[p["team_id"]], *where)
            # One that was taken back counts no more: what is charged meanwhile is added when it is set again.
            if p["kind"] == "budget" and (p["scope"] == "key" or (p["team_id"], p["scope"], p["scope_id"]) in budgets):
                self.check_budget(p, spent[p["team_id"], p["scope"], p["scope_id"]], where)

    def check_budget(self, purse, spent, where):
        start, end = moment(purse["window_start"]), moment(purse["window_end"])
        if purse["turns"] == "never":
            start = None
        elif not start or not end or not start <= self.now < end:
            return  # a window that nobody has opened yet, or that is over
        worked_out = sum(n for at, n in spent if not start or at >= start)
        if f"key:{purse['scope_id']}" in self.changed and number(purse["used"]) < worked_out:
            return  # a budget that was set later leaves out what was under way without it at that moment
        self.same("budget", number(purse["used"]), worked_out, *where)

    def price_versions(self):
        figures = defaultdict(list)
        for u in self.tables["price_unit"]:
            figures[u["price_id"]] += [price.TIERS.index(u["service_tier"]), u["unit"], u["above_input_tokens"],
                                       u["image_kind"], u["charge"], u["cost"]]
        return {k: price.read_price(words) for k, words in figures.items()}

    @staticmethod
    def price_of(version, c):
        """(outcome, charge, cost) of what a call has used."""
        used = [0] * price.N
        for column, unit in CLASSES.items():
            used[price.AT[unit]] = number(c[column])
        return price.charge_of(version, price.TIERS.index(c["service_tier"]), used,
                               price.halves(c["image_kind"]) if c["image_kind"] else None)

    def check_charges(self):
        """A charge is the call's usage at the price version that its row names."""
        versions = self.price_versions()
        for c in self.tables["call"]:
            if not c["price_id"]:
                self.same("charge without a price", number(c["charge_nano"]), 0, "call", c["call_id"])
                continue
            outcome, charge, _ = self.price_of(versions[c["price_id"]], c)
            if c["own_key"] == "t":  # the fee, and the team paid its provider itself
                charge = -(-charge * number(c["own_fee_bp"]) // 10000) if outcome == price.OK else charge
                self.same("cost of an own key", number(c["cost_nano"]), 0, "call", c["call_id"])
            self.same("charge", number(c["charge_nano"]), charge if outcome == price.OK else None, "call",
                      c["call_id"])

    def check_videos(self):
        """What a failed video gave back is its call's charge, whole and once; nothing else gives any back."""
        charged = {(c["team_id"], c["call_id"]): number(c["charge_nano"]) for c in self.tables["call"]}
        back = defaultdict(int)
        for t in self.tables["returned"]:
            back[t["team_id"], t["name"]] += number(t["amount_nano"])
        for v in self.tables["video_job"]:
            at = v["team_id"], v["call_id"]
            name = "video_" + v["call_id"].replace("-", "")
            due = charged.get(at, 0) if v["state"] == "failed" and v["returned_nano"] else 0
            self.same("given back of a video", number(v["returned_nano"]), due, *at)
            self.same("transfers that give it back", back.pop((v["team_id"], name), 0), due, *at)
        for at in back:
            self.differs("given back of no video", *at)

    def check_shadows(self):
        """Calls that were asked of a second model: nobody's calls, free, at the price's cost, and summed by day."""
        calls = {c["call_id"] for c in self.tables["call"]}
        versions = self.price_versions()
        days = defaultdict(lambda: [0, 0])
        for s in self.tables["shadow_call"]:
            where = "shadow", s["call_id"]
            self.same("charge of a shadow", number(s["charge_nano"]), 0, *where)
            self.same("transfer of a shadow", s["transfer_id"], "", *where)
            if s["call_id"] in calls:
                self.differs("a shadow that is a call too", *where)
            if s["price_id"]:
                outcome, _, cost = self.price_of(versions[s["price_id"]], s)
                self.same("cost of a shadow", number(s["cost_nano"]), cost if outcome == price.OK else None, *where)
            day = days[s["shadowed_model_id"], moment(s["started_at"]).date().isoformat()]
            day[0] += 1
            day[1] += number(s["cost_nano"])
        recorded = {(d["model_id"], d["day"]): [number(d["calls"]), number(d["cost_nano"])]
                    for d in self.tables["shadow_day"]}
        for at in days.keys() | recorded.keys():
            self.same("a day of shadows", recorded.get(at, [0, 0]), days.get(at, [0, 0]), *at)

    def check_days(self):
        columns = ("calls", "blocked", "errors", "fallbacks", *CLASSES, "charge_nano", "cost_nano", "cache_hits",
                   "saved_nano")
        days = defaultdict(lambda: [0] * len(columns))
        for c in self.tables["call"]:
            day = moment(c["posted_at"]).astimezone(self.zone[c["team_id"]]).date().isoformat()
            repeat, outcome = number(c["repeat"]), c["outcome"]
            figures = (repeat, repeat if outcome == "blocked" else 0,
                       outcome in ("client_error", "upstream_error", "cut", "internal"), c["fallback"] == "t",
                       *(number(c[k]) for k in CLASSES), number(c["charge_nano"]), number(c["cost_nano"]),
                       c["cache"] == "hit", number(c["saved_nano"]))
            at = (c["team_id"], day, c["served_model"], c["key_id"] or "0", c["project_id"] or "0", c["provider"],
                  c["account_id"] or "0")
            days[at] = [a + int(b) for a, b in zip(days[at], figures)]
        recorded = {tuple(u[k] for k in ("team_id", "day", "model", "key_id", "project_id", "provider", "account_id")):
                    [number(u[k]) for k in columns] for u in self.tables["usage_day"]}
        for at in days.keys() | recorded.keys():
            if recorded.get(at) != days.get(at):
                self.differs("day", *at, f"recorded {recorded.get(at)}, worked out {days.get(at)} of {columns}")

    def check_invoices(self):
        for i in self.tables["invoice"]:
            team, start, end = i["team_id"], moment(i["from_at"]), moment(i["until_at"])
            before = sum(v for at, v, code in self.history[team] if at < start)
            within = [(v, code) for at, v, code in self.history[team] if start <= at < end]
            where = "invoice", i["number"]
            usage = -sum(v for v, code in within if code in USAGE)
            self.same("opening balance", number(i["opening_nano"]), before, *where)
            self.same("closing balance", number(i["closing_nano"]), before + sum(v for v, _ in within), *where)
            self.same("usage", number(i["usage_nano"]), usage, *where)
            self.same("top-ups", number(i["topups_nano"]), sum(v for v, code in within if code == "TOPUP"), *where)
            lines = [l for l in self.tables["invoice_line"]
                     if (l["team_id"], l["invoice_id"]) == (team, i["id"])]
            self.same("sum of the lines", sum(number(l["amount_nano"]) for l in lines),
                      sum(v for v, _ in within), *where)
            self.check_usage_lines(lines, team, start, end, where)

    def check_usage_lines(self, lines, team, start, end, where):
        def by_model(rows):
            sums = defaultdict(int)
            for provider, model, amount in rows:
                sums[provider, model] += amount
            return {k: v for k, v in sums.items() if v}

        listed = by_model((l["provider"], l["model"], -number(l["amount_nano"])) for l in lines if l["kind"] == "usage")
        called = by_model((c["provider"], c["served_model"], number(c["charge_nano"])) for c in self.tables["call"]
                          if c["team_id"] == team and start <= moment(c["posted_at"]) < end)
        self.same("usage by model", listed, called, *where)

    def check_answers(self, lines):
        rows = {c["call_id"].replace("-", ""): c for c in self.tables["call"]}
        told = defaultdict(list)
        for line in lines:
            answer = json.loads(line)
            if answer.get("id"):
                told[answer["id"].removeprefix("call_").replace("-", "")].append(answer)
        for call, answers in told.items():
            if len(answers) > 1:
                self.differs("two answers of one call", call)
            answer = answers[0]
            if not answer.get("whole"):
                continue
            if call not in rows:
                if answer["status"] == 200:  # one row may stand for many refusals
                    self.differs("an answer without its record", call)
            elif answer.get("cost") is not None:
                self.same("the charge that the client was told", number(rows[call]["charge_nano"]),
                          int(answer["cost"]), call)
            elif answer["status"] != 200:
                self.same("the charge of a refusal", number(rows[call]["charge_nano"]), 0, call)


def main():
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)  # -h is psql's
    parser.add_argument("--answers")
    parser.add_argument("--user", type=int)
    options, psql = parser.parse_known_args()
    books = Books(read_tables(psql, options.user))
    books.check_transfers()
    books.check_calls()
    books.check_purses()
    books.check_charges()
    books.check_videos()
    books.check_shadows()
    books.check_days()
    books.check_invoices()
    if options.answers:
        with open(options.answers, encoding="utf-8") as f:
            books.check_answers(f)
    for line in books.differences[:40]:
        print(line)
    if len(books.differences) > 40:
        print(f"and {len(books.differences) - 40} more")
    print(f"{len(books.tables['call'])} calls, {len(books.tables['transfer'])} transfers, "
          f"{len(books.tables['purse'])} purses, {len(books.tables['invoice'])} invoices: "
          f"{len(books.differences) or 'no'} differences")
    sys.exit(1 if books.differences else 0)


if __name__ == "__main__":
    main()
