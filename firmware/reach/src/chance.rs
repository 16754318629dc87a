//! A little chance, so that no two boxes fall into step.

/// A factor around one, at most this share off it.
pub fn around_one(share: f64) -> f64 {
    let mut byte = [128];
    // Without a random number things fall due on the stroke, and are still done.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    let [byte] = byte;
    1.0 + share * (2.0 * f64::from(byte) / 255.0 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_its_share_and_is_not_always_the_same() {
        let factors: Vec<f64> = (0..200).map(|_| around_one(0.2)).collect();
        assert!(factors.iter().all(|factor| (0.8..=1.2).contains(factor)));
        assert!(factors.iter().any(|factor| (factor - factors[0]).abs() > 0.001));
    }
}
