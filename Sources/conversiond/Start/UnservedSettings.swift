import Configuration

extension Configuration {
  /// Settings that were given and have no effect in this version: said at each check and start, as a setting that is
  /// silently ignored is worse than one that is refused.
  var unservedSettings: [String] {
    var unserved: [String] = []
    if metrics.listen != nil { unserved.append("metrics.listen: metrics are not served yet") }
    return unserved
  }
}
