"""Kernels: NumPy arrays in, NumPy arrays out, compiled by numba. They know no Arrow and no threads.

Nor files, but for `file_read`, by which `float_points` reads what a map should not keep in memory.

========  ==============================================================================================
module    public names
========  ==============================================================================================
adc       adc_scan; `bucket_arrays` has BucketArrays, `everything` scan_everything
bitmap    full, from_mask, to_mask, count, clear, test, intersect
bitpack   pack_vectors, unpack_vectors
bloom     build_bloom, bloom_contains, bloom_blocks
distance  METRIC_CODES, exact_distances, exact_distances_batch, squared_norms, normalize_rows,
          first_nonfinite_row, first_zero_row
floats    encode_floats, decode_floats, decode_vector; `encoded_floats` has EncodedFloats, check_floats
gather    gather_rows; `float_rows` has gather_float_rows, `row_table` RowTable, by which `float_points`,
          `integer_points` and `string_points` gather single rows of many blocks
integers  encode_integers, decode_integers, decode_table, decode_vector; `encoded_integers` has EncodedIntegers,
          check_integers; `integer_table` has IntegerTable, checked_table
keys      KeyTable, fingerprint_ints, fingerprint_strings, first_duplicate, sort_fingerprints, find_sorted
kmeans    train_centroids, assign_buckets; `parts` has RunParts, by which the engine uses threads
probe     probe_buckets, StopRule, Probed; `bucket_table` has BucketTable, `exact_rank` rank_exactly, ExactRanks,
          `touches` count_probed
probing   cumulative_shares, count_allowed
rank      rank_buckets
scan      exact_scan
sq8       Sq8, sq8_encode, sq8_decode
strings   gather_strings
topk      Heaps
warmup    compile_kernels
========  ==============================================================================================

Every kernel is a private compiled function, which trusts its arguments, and a public wrapper, which checks them and
allocates the results. Import the names from their modules; this package itself loads nothing.
"""
