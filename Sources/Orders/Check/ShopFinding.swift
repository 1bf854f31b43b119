public import Conversions

/// One line of what `check` says of the shop's database.
public struct ShopFinding: Hashable, Sendable {
  /// The severity of a finding.
  public enum Severity: String, Sendable, CaseIterable {
    /// As it should be.
    case ok
    /// Works, but an operator should know.
    case warn
    /// Does not work, or would report wrongly.
    case fail
  }

  /// The severity.
  public var severity: Severity
  /// The subject: a setting such as `orders.key`, or `database`.
  public var subject: String
  /// The finding in words.
  public var message: String
  /// The advice on what to do; nil where nothing is to be done.
  public var advice: String?

  /// True if no connection is left: the daemon may have every one that the role is allowed.
  public var meansNoConnectionIsLeft: Bool { severity == .fail && message.contains("too many connections") }

  /// A finding.
  public init(_ severity: Severity, _ subject: String, _ message: String, advice: String? = nil) {
    self.severity = severity
    self.subject = subject
    self.message = message
    self.advice = advice
  }
}

/// All that was found.
public struct ShopReport: Hashable, Sendable {
  /// The findings, in the order in which they were made.
  public var findings: [ShopFinding] = []
  /// The method by which changes to orders are found; nil where that could not be told.
  public var method: ShopSurvey.Method?
  /// The time by which the server's clock is later than this host's; nil where there was no answer.
  public var clockDifference: Duration?

  /// The worst of the findings.
  public var severity: ShopFinding.Severity {
    if findings.contains(where: { $0.severity == .fail }) { return .fail }
    return findings.contains { $0.severity == .warn } ? .warn : .ok
  }
}
