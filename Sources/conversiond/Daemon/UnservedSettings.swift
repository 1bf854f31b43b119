import Configuration

extension Configuration {
  /// Settings that were given and have no effect in this version: said at each check and start, as a setting that is
  /// silently ignored is worse than one that is refused.
  var unservedSettings: [String] {
    var unserved: [String] = []
    if metrics.listen != nil { unserved.append("metrics.listen: metrics are not served yet") }
    if ledger.retain != Configuration.Ledger().retain {
      unserved.append("ledger.retain: finished entries are kept for ever yet")
    }
    if ledger.sizeMax != Configuration.Ledger().sizeMax {
      unserved.append("ledger.size_max: the ledger's size is not limited yet")
    }
    return unserved
  }
}
