-- The sandbox's seed, from the demonstration's referrals.
SELECT json_build_object('referrals', json_agg(json_strip_nulls(json_build_object(
  'referralId', id, 'referralCode', substr(md5(id), 1, 8), 'status', status, 'friendEmail', friend_email,
  'friendName', 'Friend ' || id, 'createdAt', created_ms, 'convertedAt', converted_ms,
  'conversionValue', conversion_value::text, 'currency', CASE WHEN converted_ms IS NOT NULL THEN 'EUR' END,
  'referrerIdentifier', referrer, 'externalSourceId', external_source_id)) ORDER BY id))
FROM demo.referral;
