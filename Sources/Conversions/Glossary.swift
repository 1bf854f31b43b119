// The words of this project, each with one meaning.
//
// order            a row of the shop's table, or of a join: something that was bought. Identified by its key.
// key              the raw, unique column by which orders are walked and read again (`orders.key`).
// transaction ID   the order's ID as the API is told it (`orders.columns.id`, as `externalTransactionId`).
// qualifies        is paid, shipped, ... : whatever the operator says makes an order worth a reward.
// placed           when the friend bought. Attribution compares this, never the time of payment.
// referral         one friend referred by one referrer, as the API keeps it.
// mirror           our copy of the API's referrals, read by walks (sweeps) of its list.
// candidate        a referral that shares an e-mail or an external source ID with an order.
// claim            an order's hold on the referral it was matched to. A referral converts once, so the
//                  others that match it are its rivals and wait behind it.
// conversion       the report of one order for one referral. Frozen (referral, transaction ID, body bytes)
//                  before it is first sent, and the same ever after.
// unknown outcome  a send whose effect at the API we can't tell: it may have been done.
// attempt          one try to report a conversion: started (marked in the ledger), sent, judged, ended, stored.
// send window      the number of attempts that may be under way at once, one to sixteen.
// halt             the end of all sending until the API accepts us again, by an answer that only a person can change.
// outcome          the named state in which the ledger keeps an order; see `Outcome`.
// ledger           what must be remembered, whatever happens to the process or the host.
// page             one short read of orders and the position after it.
// position         how far an intake has come; stored together with what it brought, or not at all.
// live, backfill   orders as they come, and orders from before the first start. Live goes first.
