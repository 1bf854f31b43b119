import Conversions

/// A tier's walk that goes on: one or more ways through the list, one after the other. As a value it outlasts a failed
/// read, which only means that the same page is asked for again.
struct WalkUnderWay: Sendable {
  let tier: WalkTier
  /// True if it is in safe mode.
  let isSafe: Bool
  private(set) var beganAt: Timestamp
  /// True if a full sweep tries whatever the smaller walks ask for, too: only then is a list trusted again.
  private(set) var triesAll = false
  /// True if it ends with all conversions since an earlier walk, so that no referral converted meanwhile is missed.
  private(set) var endsWithConversions = false
  private var walks: [any PageWalk]
  /// The page that is asked for next; nil at the end.
  private(set) var query: ReferralQuery?
  /// The first thing that was found wrong. A list that can't be trusted is no reason to leave the others unread.
  private(set) var fault: String?
  /// The newest conversion, where that was looked for.
  private(set) var newestConversion: Timestamp?
  private(set) var reads: Int
  private(set) var busy: Duration

  /// A tier's walk from its beginning.
  init(_ tier: WalkTier, isSafe: Bool, beganAt: Timestamp, walks: [any PageWalk]) {
    (self.tier, self.isSafe, self.beganAt, self.walks) = (tier, isSafe, beganAt, walks)
    (reads, busy) = (0, .zero)
    query = walks.first?.first
  }

  /// The walk as it is remembered.
  var record: MirrorWalk { MirrorWalk(beganAt: beganAt, reads: reads, busy: busy) }

  /// Adds the cost of an earlier walk that this one does over.
  mutating func add(_ earlier: MirrorWalk) {
    reads += earlier.reads
    busy += earlier.busy
  }

  /// Takes in the answer to `query`, and how long it took.
  mutating func take(_ page: ReferralPage, took: Duration) {
    reads += 1
    busy += took
    guard !walks.isEmpty else { return }
    switch walks[0].advance(page) {
    case .ask(let next):
      query = next
      return
    case .done: break
    case .distrust(let found): fault = fault ?? found
    }
    if let conversions = walks.removeFirst() as? ConversionsWalk { newestConversion = conversions.newest }
    query = walks.first?.first
  }
}

extension WalkUnderWay {
  /// The greatest age of a walk that goes on after a restart.
  private static let ageMax = Duration.seconds(6 * 3600)

  /// The place to go on from after a restart; nil for a walk that is not worth it, or has no place to tell.
  var place: WalkPlace? {
    guard !isSafe, !triesAll, fault == nil, tier == .full || tier == .open else { return nil }
    return (walks.first as? ReferralWalk)?.place(in: record, of: tier, newestConversion: newestConversion)
  }

  /// Goes on from the place of a walk of its tier when the daemon ended; it began when that one began.
  mutating func goOn(from place: WalkPlace?) {
    guard let place, place.tier == tier, !isSafe, !triesAll, place.walk.beganAt <= beganAt,
      beganAt - place.walk.beganAt < Self.ageMax,
      let index = walks.firstIndex(where: { ($0 as? ReferralWalk)?.status == place.status }),
      var walk = walks[index] as? ReferralWalk
    else { return }
    walk.goOn(from: place)
    walks = [walk] + walks[(index + 1)...]
    (beganAt, newestConversion, query) = (place.walk.beganAt, place.newestConversion, walk.first)
    add(place.walk)
  }

  /// A tier's walk, as the reference allows it or in safe mode.
  ///
  /// - Parameters:
  ///   - tier: The tier that it is over.
  ///   - isSafe: True for a walk in safe mode.
  ///   - progress: The mirror's progress.
  ///   - known: The number of referrals that the ledger has.
  ///   - overlap: The time by which a walk over the newest conversions goes further back than the last one.
  ///   - now: Wall-clock time.
  init(
    _ tier: WalkTier, isSafe: Bool, progress: MirrorProgress, known: Int, overlap: Duration = ConversionsWalk.overlap,
    now: Timestamp
  ) {
    // Allows for a host's clock that is ahead: it would look for the young among those not yet made.
    let clockBehind = max(.zero, .zero - (progress.clockAhead ?? .zero))
    let from = tier.ageMax.map { now - clockBehind - $0 }
    guard !isSafe else {
      let walk = WindowWalk(from: from, now: now, known: known)
      self.init(tier, isSafe: true, beganAt: now, walks: [walk])
      return
    }
    let open: [any PageWalk] = [ReferralWalk(status: .clicked, from: from), ReferralWalk(status: .pending, from: from)]
    let conversions = ConversionsWalk(knownTo: progress.conversionsKnownTo, overlap: overlap)
    let walks: [any PageWalk]
    switch tier {
    case .conversions: walks = [conversions]
    case .full: walks = Self.full(progress, now: now - clockBehind)
    case .open: walks = open + [conversions]
    default: walks = open
    }
    self.init(tier, isSafe: false, beganAt: now, walks: walks)
    endsWithConversions = tier == .open && progress.conversionsKnownTo != nil
    triesAll = progress.distrust != nil
  }

  /// Returns the walks of a full sweep, the newest conversion first: what is converted while the lists are read is for
  /// the next walk back to it. While the list is distrusted, whatever the smaller walks ask for is tried as well.
  private static func full(_ progress: MirrorProgress, now: Timestamp) -> [any PageWalk] {
    var walks: [any PageWalk] = [ConversionsWalk(knownTo: progress.distrust == nil ? nil : progress.conversionsKnownTo)]
    walks += ReferralWalk.statuses.map { ReferralWalk(status: $0) }
    guard progress.distrust != nil else { return walks }
    for age in WalkTier.byAge.compactMap(\.ageMax) {
      walks += [ReferralStatus.clicked, .pending].map { ReferralWalk(status: $0, from: now - age) }
    }
    return walks
  }
}
