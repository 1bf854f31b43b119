import TestHosts

/// A friend who was referred, and the way in which the API comes to know what an order is matched by.
struct Friend: Sendable {
  enum Kind: Sendable {
    /// The e-mail address is known from the start.
    case byEmail
    /// The partner's own reference is known from the start; the order has another e-mail address.
    case byReference
    /// Only a click at first; the e-mail address is filled in during the run, the time of making stays.
    case filledInLate
    /// The partner's own reference is patched in during the run.
    case patchedLate
    /// Made through the API during the run: orders before it are none of its.
    case madeLate
    /// Two referrals, and the one that was made first gets its e-mail address during the run.
    case referredTwice
    /// Referred so long ago that only a backdated order is within the window.
    case longAgo
  }

  let number: Int
  let kind: Kind

  /// Makes the same friend for the same seed at each call.
  init(_ number: Int, seed: UInt64) {
    self.number = number
    var choices = SeededGenerator(seed: seed, stream: 1_000_000 + UInt64(number))
    kind = choices.pick([
      (42, .byEmail), (12, .byReference), (16, .filledInLate), (10, .patchedLate), (10, .madeLate),
      (6, .referredTwice), (4, .longAgo),
    ])
  }

  /// As the API has it.
  var email: String { "friend-\(number)@example.com" }
  /// As an order carries it where the friend is known by reference.
  var reference: String { "lead-\(number)" }

  var isKnownByReference: Bool { kind == .byReference || kind == .patchedLate }
}
