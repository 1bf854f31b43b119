// The words of this project, each with one meaning.
//
// The shop
// order            a row of the shop's table, or of a join: something that was bought. Identified by its key.
// key              the raw, unique column by which orders are walked and read again (`orders.key`).
// lost key         the key of an order whose row is gone from where it was, marked so that no row is found by it.
// transaction ID   the order's ID as the API is told it (`orders.columns.id`, as `externalTransactionId`).
// qualifies        is paid, shipped, ... : all that the operator says makes an order worth a reward.
// placed           when the friend bought. Attribution compares this, never the time of payment.
// live, backfill   orders as they come, and orders from before the first start. Live goes first.
// survey           the look at the shop's table that says by which method its changes are found (`ShopSurvey`).
// range            a fixed part of that table, read by itself (`SweepRange`), a piece in each transaction.
// mark             the trace that a range's last complete read left, by which the next one finds the changes.
// horizon          a number of the shop's transactions: each below it was over, so its rows were visible.
// covered          a row version below the horizon after which a complete sweep of the referrals began.
// sweep            reading all of something once. Of orders: all ranges of the shop's table. Of referrals: a walk of
//                  the tier `full`, over all four of the API's lists; a text for operators says which of the two.
// page             one short read of orders and the position after it.
// position         how far an intake has come; stored together with what it brought, or not at all.
// sighting         the result of a look for one order's row by its key: shown, gone, left out, hidden or unproven.
// digest           64 bits of a row's mapped values, by which a changed row is told from one seen before.
//
// The referrals
// referral         one friend referred by one referrer, as the API keeps it.
// mirror           our copy of the API's referrals, read by walks.
// walk             one way through a list of the API's, page by page (`PageWalk`), from its beginning to its end. The
//                  shop's table is walked, too, by the key; the noun alone is the mirror's.
// tier             one of the walks with a period of its own: young referrals often, all lists seldom (`WalkTier`).
//
// The decision
// candidate        a referral that shares an e-mail or an external source ID with an order.
// claim            an order's right to the referral it was matched to. A referral converts once, so the
//                  others that match it are its rivals and wait behind it.
// holder, rival    the order that has the claim on a referral, and another that matches it. In the pacer, the
//                  holder of a permit is the process that asked for it.
// decision         the outcome that the rules give an order, with reason, candidates and claim; made anew
//                  whenever order, referral or rules change, until a report is frozen.
// outcome          the named state in which the ledger keeps an order; see `Outcome`.
// held             matched and kept back: for `reporting.hold`, by an operator, or after a change of the rules.
// review           the outcome of an order that a person must look at, always with a reason (`ReviewReason`).
// act              an operator's word on an order, hold or discard, which decisions obey (`OperatorAct`).
//
// The way to the API
// conversion       a referral's turn to converted at the API, once for good, by a report or another program.
// report           the message that asks for it: referral, transaction ID, value, body bytes (`ConversionReport`).
// frozen           said of a report from right before its first send on: its bytes are the same ever after.
// attempt          one try to report a conversion: started (marked in the ledger), sent, judged, ended, stored.
// send             the one request of an attempt that may have an effect: from when its first byte may leave.
// unknown outcome  a send whose effect at the API we can't tell: it may have been done.
// send window      the number of attempts that may be under way at once, one to sixteen.
// permit           the right to send one write now (`SendPermit`).
// pacer            the giver of permits, for all programs of this host that use one API (`WritePacer`).
// gear             the pacer's way to approach a limit: `first`, and `safe` once the API has refused (`PacingGear`).
// outage           a time in which a part of the daemon can't work, told in few lines: at its beginning, now and then,
//                  at its end (`Outage`).
// breaker          the rule that ends sending in an outage of the API, and tries one order at a time (`Breaker`).
// probe            the order that is tried meanwhile, always the same, for all.
// halt             the end of all sending until the API accepts us again, by an answer that only a person can change.
//
// The host
// instance         one of a host's daemons, with a shop, a ledger and a socket of its own (`Instance`).
//
// The ledger
// ledger           all that must be remembered, no matter what happens to the process or the host.
// settled          said of a finished order after `ledger.retain`: one line of it is left (table `settled`).
// archived         said of reported orders whose rows an archive job of the shop's has taken away, many at once.
// restore          putting a backup in the place of the ledger, with what only the ledger knows carried over.
// rebuild          making a new ledger in the place of a damaged one, from a salvage, the shop and the API.
// salvage          the part of a damaged ledger that can still be read and must not be forgotten (`Salvage`).
// quiet period     the time after either in which nothing is frozen, as sends of the former ledger may still be under
//                  way (`QuietAfterRebuild`).
