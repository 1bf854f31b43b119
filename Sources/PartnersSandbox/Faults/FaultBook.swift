/// Keeps the ordered faults, and picks the one that strikes a request: that of the first rule, in order, that matches
/// it.
struct FaultBook: Sendable {
  /// The parts of a request that the rules look at.
  struct Subject: Sendable {
    let method: String
    let path: String
    let referralID: String?
    let transactionID: String?
  }

  private(set) var rules: [SandboxFaultRule] = []
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed ^ 0xFA17) }

  mutating func add(_ rules: [SandboxFaultRule]) { self.rules += rules }

  mutating func removeAll() { rules = [] }

  /// Returns the fault that strikes, and counts it down in its rule; a rule that is used up is dropped.
  mutating func strike(_ subject: Subject) -> SandboxFault? {
    for index in rules.indices where rules[index].match.means(subject) {
      if rules[index].after > 0 {
        rules[index].after -= 1
        continue
      }
      if rules[index].probability < 1, Double.random(in: 0..<1, using: &random) >= rules[index].probability {
        continue
      }
      let fault = rules[index].fault
      if let times = rules[index].times {
        if times > 1 { rules[index].times = times - 1 } else { rules.remove(at: index) }
      }
      return fault
    }
    return nil
  }
}

extension FaultBook.Subject {
  init(_ request: SandboxRequest) {
    method = request.method
    path = request.path
    referralID = (try? Route(path: request.path))?.referralID
    transactionID = (try? JSONReader.read(request.body))?["externalTransactionId"]?.text
  }
}

extension SandboxFaultRule.Match {
  fileprivate func means(_ subject: FaultBook.Subject) -> Bool {
    (method == nil || method == subject.method)
      && (pathPrefix.map { subject.path.hasPrefix($0) } ?? true)
      && (referralID == nil || referralID == subject.referralID)
      && (transactionID == nil || transactionID == subject.transactionID)
  }
}
