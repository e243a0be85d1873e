"""Evidence verified, or unverified and why: nobody is accused, and no point is lost by it."""
